import { ImgtoolError } from '../../errors.ts';

/** A decoder's complaint in plain words; what it said itself is kept in brackets. */
export function corrupt(error: unknown, lenient: boolean): ImgtoolError {
  if (error instanceof ImgtoolError) return error;
  const said = firstWords(error instanceof Error ? error.message : String(error));
  const fix = lenient
    ? 'copy the file again'
    : 'copy the file again, or accept what can be read with --lenient';
  return new ImgtoolError('corrupt', `the picture is damaged or cut short (${said})`, { fix, cause: error });
}

/** sharp puts a line of its own before what libvips said, and libvips says the same once per reader. */
function firstWords(message: string): string {
  const [said = ''] = message.replace(/^Input (?:buffer|file) has corrupt header:\s*/, '').split('\n');
  return said.trim() || 'its header cannot be read';
}
