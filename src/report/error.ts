import type { Failure, Style } from '../model.ts';
import { lookOf } from './look.ts';
import { printable } from './printable.ts';

type ErrorWords = Pick<Failure, 'message' | 'fix'> & { readonly cause?: string | undefined };

/** An error that ends a command: what, why, what to do. Never cut; ends with a newline. */
export function errorText({ message, cause, fix }: ErrorWords, style: Style): string {
  const { chalk } = lookOf(style);
  return [
    `${chalk.red(chalk.bold('error:'))} ${printable(message)}\n`,
    cause === undefined ? '' : `${chalk.dim('cause:')} ${printable(cause)}\n`,
    fix === undefined ? '' : `${chalk.cyan('fix:')} ${printable(fix)}\n`,
  ].join('');
}
