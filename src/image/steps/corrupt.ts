import { ImgtoolError } from '../../errors.ts';
import { starved } from '../starved.ts';

/** A decoder's complaint about a source in plain words; what it said itself is kept in brackets. */
export function corrupt(error: unknown, lenient: boolean): ImgtoolError {
  const fix = lenient
    ? 'copy the file again'
    : 'copy the file again, or accept what can be read with --lenient';
  return complaint(
    error,
    (said) =>
      new ImgtoolError('corrupt', `the picture is damaged or cut short (${said})`, { fix, cause: error }),
  );
}

/** Judged to be damage by what was said, unless it is known to be something else. */
export function complaint(error: unknown, damage: (said: string) => ImgtoolError): ImgtoolError {
  if (error instanceof ImgtoolError) return error;
  return starved(error) ?? damage(firstWords(error instanceof Error ? error.message : String(error)));
}

/** sharp puts a line of its own before what libvips said, and libvips says the same once per reader. */
function firstWords(message: string): string {
  const [said = ''] = message.replace(/^Input (?:buffer|file) has corrupt header:\s*/, '').split('\n');
  return said.trim() || 'its header cannot be read';
}
