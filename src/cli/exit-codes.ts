import { classOf, type ErrorClass, type ErrorCode } from '../errors.ts';
import type { BatchFinished } from '../model.ts';

/** The batch could not continue, or its output could not be written. */
export const CANNOT_GO_ON = 3;
/** `imgtool cancel` stopped a batch: 128 + SIGINT. */
const CANCELLED = 130;
/** Nobody reads the output any more: 128 + SIGPIPE. */
export const CLOSED = 141;

/** The exit codes of commands that end with an error of these classes. Other classes exit with 1. */
const EXITS: Partial<Record<ErrorClass, number>> = { misuse: 2, fatal: CANNOT_GO_ON, denied: CANNOT_GO_ON };

/** The exit code of a command that ended with an error. */
export function exitOfError(code: ErrorCode): number {
  return code === 'cancelled' ? CANCELLED : (EXITS[classOf(code)] ?? 1);
}

/** The exit code of a command that ran a batch. `signalled` is the exit code of the signal that stopped the batch. */
export function exitOfBatch({ state, counts, stopped }: BatchFinished, signalled: unknown): number {
  if (state === 'interrupted') return CANNOT_GO_ON;
  if (stopped !== undefined) return typeof signalled === 'number' ? signalled : CANCELLED;
  return counts.failed > 0 ? 1 : 0;
}
