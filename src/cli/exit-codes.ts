import type { ErrorCode } from '../errors.ts';
import type { BatchFinished } from '../model.ts';

/** The batch could not continue, or its output could not be written. */
export const CANNOT_GO_ON = 3;
/** `imgtool cancel` stopped a batch: 128 + SIGINT. */
const CANCELLED = 130;
/** Nobody reads the output any more: 128 + SIGPIPE. */
export const CLOSED = 141;

const WRONG_USE: readonly ErrorCode[] = ['usage', 'config', 'no_input', 'unknown_batch', 'batch_running'];
const FATAL: readonly ErrorCode[] = [
  'no_space',
  'not_writable',
  'output_unreadable',
  'index_unusable',
  'index_newer',
];

/** The exit code of a command that ended with an error. */
export function exitOfError(code: ErrorCode): number {
  if (WRONG_USE.includes(code)) return 2;
  if (FATAL.includes(code)) return CANNOT_GO_ON;
  return code === 'cancelled' ? CANCELLED : 1;
}

/** The exit code of a command that ran a batch. `signalled` is the exit code of the signal that stopped the batch. */
export function exitOfBatch({ state, counts, stopped }: BatchFinished, signalled: unknown): number {
  if (state === 'interrupted') return CANNOT_GO_ON;
  if (stopped !== undefined) return typeof signalled === 'number' ? signalled : CANCELLED;
  return counts.failed > 0 ? 1 : 0;
}
