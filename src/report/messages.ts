import { doneOf, totalOf } from '../model/totals.ts';
import type { Batch, Failure, Style } from '../model.ts';
import { count } from './format.ts';
import { printable, wrap } from './text.ts';
import { roomOf, themeOf } from './theme.ts';

type ErrorWords = Pick<Failure, 'message' | 'fix'> & { readonly cause?: string | undefined };

/** The error that ends a command, its cause and its fix, never cut. Ends with a newline. */
export function errorText({ message, cause, fix }: ErrorWords, style: Style): string {
  const { chalk } = themeOf(style);
  return [
    `${chalk.red(chalk.bold('error:'))} ${printable(message)}\n`,
    cause === undefined ? '' : `${chalk.dim('cause:')} ${printable(cause)}\n`,
    fix === undefined ? '' : `${chalk.cyan('fix:')} ${printable(fix)}\n`,
  ].join('');
}

/** What `imgtool cancel` prints: the state of the batch and how to continue it. Ends with a newline. */
export function cancelledText(batch: Batch, was: 'running' | 'interrupted' | 'ended', style: Style): string {
  const { id, state, counts } = batch;
  if (was === 'ended') return text([`Batch ${id} had ended (${state}): there was nothing to stop.`], style);
  if (batch.command === 'watch' && was === 'running') {
    return text([`Watch ${id} was stopped.`, ...goOn(batch)], style);
  }
  if (state === 'finished') return text([`Batch ${id} finished before it could be stopped.`], style);
  const far = `after ${count(doneOf(counts))} of ${count(totalOf(counts))}`;
  return text([`Batch ${id} ${state} ${far}.`, ...goOn(batch)], style);
}

/** What `resume` and `retry` print for a batch that leaves them nothing to do. Ends with a newline. */
export function nothingLeftText(batch: Batch, how: 'resume' | 'retry', style: Style): string {
  const { id, state, counts } = batch;
  if (how === 'retry') return text([`Batch ${id} has no failed images.`, ...goOn(batch)], style);
  const failed = counts.failed === 0 ? [] : [`Failed images again: imgtool retry ${id}`];
  return text([`Batch ${id} is ${state}: nothing is left to be done.`, ...failed], style);
}

function goOn({ id, state, command }: Batch): string[] {
  if (state !== 'cancelled' && state !== 'interrupted') return [];
  return [command === 'watch' ? 'Run the same command again to go on.' : `Go on: imgtool resume ${id}`];
}

function text(sentences: readonly string[], style: Style): string {
  return sentences
    .flatMap((one) => wrap(one, roomOf(style)))
    .map((one) => `${one}\n`)
    .join('');
}
