import type { ErrorCode } from '../errors.ts';
import type { BatchFinished } from '../model.ts';

/** The batch could not continue, or its output could not be written. */
export const CANNOT_GO_ON = 3;
/** `imgtool cancel` stopped a batch: 128 + SIGINT. */
const CANCELLED = 130;
/** Nobody reads the output any more: 128 + SIGPIPE. */
export const CLOSED = 141;

const BY_CODE: Readonly<Partial<Record<ErrorCode, number>>> = {
  usage: 2,
  config: 2,
  no_input: 2,
  unknown_batch: 2,
  batch_running: 2,
  no_space: CANNOT_GO_ON,
  not_writable: CANNOT_GO_ON,
  index_unusable: CANNOT_GO_ON,
  index_newer: CANNOT_GO_ON,
  cancelled: CANCELLED,
};

/** The exit code of a command that ended with an error. */
export const exitOfError = (code: ErrorCode): number => BY_CODE[code] ?? 1;

/** The exit code of a command that ran a batch. `signalled` is the exit code of the signal that stopped the batch. */
export function exitOfBatch({ state, counts, stopped }: BatchFinished, signalled: unknown): number {
  if (state === 'interrupted') return CANNOT_GO_ON;
  if (stopped !== undefined) return typeof signalled === 'number' ? signalled : CANCELLED;
  return counts.failed > 0 ? 1 : 0;
}
