import { setImmediate as breathe, setTimeout as sleep } from 'node:timers/promises';
import type { Batch } from '../../model.ts';
import type { Index } from '../../ports.ts';

/** Jobs that one step cancels. */
const AT_ONCE = 1_000;
/** Milliseconds between two looks at a batch that is to end. */
const EVERY = 100;

/** Cancels all jobs of a batch that wait, and resolves to their number. */
export async function cancelWaiting(index: Index, batch: string): Promise<number> {
  for (let cancelled = 0; ; ) {
    const more = await index.cancelWaiting({ batch }, AT_ONCE);
    if (more === 0) return cancelled;
    cancelled += more;
    // Signals and other processes get their turn between two steps.
    await breathe();
  }
}

/**
 * Stops a batch and resolves once it has ended. `was` tells whether the batch still ran, was left by a run that died, or
 * had ended before.
 */
export async function cancelBatch(
  index: Index,
  { id }: Batch,
): Promise<{ readonly batch: Batch; readonly was: 'running' | 'interrupted' | 'ended' }> {
  const answer = await index.askToCancel(id);
  if (answer === 'cancelled') await cancelWaiting(index, id);
  const was = answer === 'asked' ? 'running' : answer === 'cancelled' ? 'interrupted' : 'ended';
  for (;;) {
    const batch = await index.batch(id);
    if (batch.state !== 'running') return { batch, was };
    await sleep(EVERY);
  }
}
