import { type Counts, JOB_STATES, type JobState } from '../model.ts';

/** The states shown in a line of counts, in that order. */
export const SETTLED = [
  'completed',
  'duplicate',
  'unchanged',
  'failed',
  'cancelled',
] as const satisfies JobState[];

export function totalOf(counts: Counts): number {
  return JOB_STATES.reduce((sum, state) => sum + counts[state], 0);
}

/** Jobs that have ended by themselves, whatever came of them. */
export function doneOf(counts: Counts): number {
  return counts.completed + counts.duplicate + counts.unchanged + counts.failed;
}

/** Jobs that have not ended. */
export function leftOf(counts: Counts): number {
  return counts.pending + counts.processing + counts.retrying;
}
