import { setImmediate as breathe, setTimeout as sleep } from 'node:timers/promises';
import { asImgtoolError, type ImgtoolError } from '../../errors.ts';
import type { Batch } from '../../model.ts';
import type { Index } from '../../ports.ts';
import type { JobContext } from '../job/context.ts';

/** Milliseconds between two checks for a request to stop the batch. */
const LOOK = 200;
/** Milliseconds that pictures in work have to finish after a stop. */
const GRACE = 10_000;

/** The abort reason of a batch that a user asked to stop. */
export const ASKED = 'asked';

/** Aborts with the given signal, or on a request in the index. Kills the renderer `GRACE` milliseconds later. */
export function stopOf({ index, run, renderer, signal: given }: JobContext) {
  const asked = new AbortController();
  let failed: ImgtoolError | undefined;
  let isClosed = false;
  const look = async () => {
    try {
      if (await index.isCancelAsked(run)) asked.abort(ASKED);
    } catch (error) {
      // Without this an idle watch would not notice for long that its index is gone.
      failed ??= asImgtoolError(error);
      asked.abort();
    }
    if (!signal.aborted && !isClosed) looking = setTimeout(look, LOOK);
  };
  const signal = AbortSignal.any([given, asked.signal]);
  let looking = setTimeout(look, LOOK);
  let grace: NodeJS.Timeout | undefined;
  const onAbort = () => {
    clearTimeout(looking);
    grace = setTimeout(() => renderer.kill(), GRACE);
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  return {
    signal,
    error: () => failed,
    /** Call it once no picture is in work. */
    close() {
      isClosed = true;
      clearTimeout(looking);
      clearTimeout(grace);
      signal.removeEventListener('abort', onAbort);
    },
  };
}

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

const WAS = { asked: 'running', cancelled: 'interrupted', ended: 'ended' } as const;

/** Stops a batch, and resolves once it has ended. `was` is its state before: `interrupted` means that its run had died. */
export async function cancelBatch(index: Index, { id }: Batch) {
  const answer = await index.askToCancel(id);
  if (answer === 'cancelled') await cancelWaiting(index, id);
  for (;;) {
    const batch = await index.batch(id);
    if (batch.state !== 'running') return { batch, was: WAS[answer] };
    await sleep(EVERY);
  }
}
