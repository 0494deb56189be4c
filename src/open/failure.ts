import type { TerminalTraits } from '../config.ts';
import type { ImgtoolError } from '../errors.ts';
import { errorText } from '../report/error.ts';
import { styleOf } from './pages.ts';

/** Prints an error that ended a command; with its stack when one is given. */
export async function showError(
  error: ImgtoolError,
  stderr: NodeJS.WriteStream,
  look: TerminalTraits,
  stack: boolean,
) {
  const { message, fix, cause } = error;
  const words = { message, ...(fix === undefined ? {} : { fix }), ...causeOf(cause, message) };
  stderr.write(errorText(words, await styleOf(stderr, { color: 'auto', look })));
  if (stack) stderr.write(`${error.stack ?? ''}\n`);
}

function causeOf(cause: unknown, message: string): { cause?: string } {
  return cause instanceof Error && !message.includes(cause.message) ? { cause: cause.message } : {};
}
