import { doneOf, totalOf } from '../model/totals.ts';
import type { Batch, Failure, Style } from '../model.ts';
import { count } from './format.ts';
import { textLayoutOf } from './layout.ts';
import { printable, textOf, wrap } from './text.ts';
import { goOn } from './wording.ts';

type ErrorWords = Pick<Failure, 'message' | 'fix'> & { readonly cause?: string | undefined };

/** The error that ends a command, its cause and its fix, never cut. Ends with a newline. */
export function errorText({ message, cause, fix }: ErrorWords, style: Style): string {
  const { chalk } = textLayoutOf(style);
  return textOf([
    `${chalk.red(chalk.bold('error:'))} ${printable(message)}`,
    ...(cause === undefined ? [] : [`${chalk.dim('cause:')} ${printable(cause)}`]),
    ...(fix === undefined ? [] : [`${chalk.cyan('fix:')} ${printable(fix)}`]),
  ]);
}

/** What `imgtool cancel` prints: the state of the batch and how to continue it. Ends with a newline. */
export function cancelledText(batch: Batch, was: 'running' | 'interrupted' | 'ended', style: Style): string {
  const { id, state, counts } = batch;
  if (was === 'ended')
    return wrapped([`Batch ${id} had ended (${state}): there was nothing to stop.`], style);
  if (batch.command === 'watch' && was === 'running') {
    return wrapped([`Watch ${id} was stopped.`, ...goOn(batch)], style);
  }
  if (state === 'finished') return wrapped([`Batch ${id} finished before it could be stopped.`], style);
  const far = `after ${count(doneOf(counts))} of ${count(totalOf(counts))}`;
  return wrapped([`Batch ${id} ${state} ${far}.`, ...goOn(batch)], style);
}

/** What `resume` and `retry` print for a batch that leaves them nothing to do. Ends with a newline. */
export function nothingLeftText(batch: Batch, how: 'resume' | 'retry', style: Style): string {
  const { id, state, counts } = batch;
  if (how === 'retry') return wrapped([`Batch ${id} has no failed images.`, ...goOn(batch)], style);
  const failed = counts.failed === 0 ? [] : [`Failed images again: imgtool retry ${id}`];
  return wrapped([`Batch ${id} is ${state}: nothing is left to be done.`, ...failed], style);
}

function wrapped(sentences: readonly string[], style: Style): string {
  return textOf(sentences.flatMap((one) => wrap(one, textLayoutOf(style).columns)));
}
