import { setTimeout as sleep } from 'node:timers/promises';
import { nearest } from '../config.ts';
import { cancelWaiting } from '../core/batch/cancel.ts';
import { findBatch } from '../core/batch/find.ts';
import type { Batch } from '../model.ts';
import type { Index } from '../ports.ts';

/** Milliseconds between two looks whether the batch has ended. */
const EVERY = 100;

/**
 * `imgtool cancel`: stops a batch, from any terminal; returns once it has ended. `was` says whether it still ran, had
 * been left by a run that died, or had ended before. Errors: `unknown_batch`.
 */
export async function cancel(
  index: Index,
  id: string,
): Promise<{ readonly batch: Batch; readonly was: 'running' | 'interrupted' | 'ended' }> {
  const { id: whole } = await findBatch(index, id, nearest);
  const answer = await index.askToCancel(whole);
  if (answer === 'cancelled') await cancelWaiting(index, whole);
  for (;;) {
    const batch = await index.batch(whole);
    const was = answer === 'asked' ? 'running' : answer === 'cancelled' ? 'interrupted' : 'ended';
    if (batch.state !== 'running') return { batch, was };
    await sleep(EVERY);
  }
}
