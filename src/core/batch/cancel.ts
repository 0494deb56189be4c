import { setImmediate as breathe, setTimeout as sleep } from 'node:timers/promises';
import type { Batch } from '../../model.ts';
import type { Index } from '../../ports.ts';

/** Jobs cancelled in one step. */
const AT_ONCE = 1_000;
/** Milliseconds between two checks whether the batch has ended. */
const EVERY = 100;

/** Cancels all waiting jobs of a batch. Resolves to their number. */
export async function cancelWaiting(index: Index, batch: string): Promise<number> {
  for (let cancelled = 0; ; ) {
    const more = await index.cancelWaiting({ batch }, AT_ONCE);
    if (more === 0) return cancelled;
    cancelled += more;
    // Handle signals, and let other processes write, between two steps.
    await breathe();
  }
}

/** Stops a batch, and resolves once it has ended. `was` is its state before: `interrupted` means that its run had died. */
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
