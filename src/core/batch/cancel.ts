import { setImmediate as breathe } from 'node:timers/promises';
import type { Index } from '../../ports.ts';

/** Jobs cancelled in one step. */
const AT_ONCE = 1_000;

/** Makes all jobs of a batch that wait `cancelled`; how many there were. */
export async function cancelWaiting(index: Index, batch: string): Promise<number> {
  for (let cancelled = 0; ; ) {
    const more = await index.cancelWaiting({ batch }, AT_ONCE);
    if (more === 0) return cancelled;
    cancelled += more;
    // Signals and other processes get their turn between two steps.
    await breathe();
  }
}
