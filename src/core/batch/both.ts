import { ImgtoolError, isOfSeveral, severalBatches } from '../../errors.ts';
import type { Batch } from '../../model.ts';
import type { PastBatches } from '../../ports.ts';

/** The batches of the index and of the store of uploads as one history. */
export function bothHistories(index: PastBatches, store: PastBatches): PastBatches {
  // Ids of the store are UUIDs. Those of the index have no dash.
  const recordOf = (id: string) => (id.includes('-') ? store : index);
  return {
    async batch(idPrefix) {
      const answers = [await batchOrError(index, idPrefix), await batchOrError(store, idPrefix)];
      const found = answers.flatMap((answer) => ('found' in answer ? [answer.found] : []));
      const errors = answers.flatMap((answer) => ('error' in answer ? [answer.error] : []));
      const whole = found.find(({ id }) => id === idPrefix);
      if (whole !== undefined) return whole;
      const [one, other] = found;
      if (one !== undefined && other !== undefined) throw severalBatches(idPrefix, one.id, other.id);
      const several = errors.find(isOfSeveral);
      if (one === undefined || several !== undefined) throw several ?? errors[0];
      return one;
    },
    async batches(limit) {
      const [ours, theirs] = [await index.batches(limit), await store.batches(limit)];
      const all: Batch[] = [];
      // Each record keeps its own order, which does not depend on the clock.
      for (let i = 0, j = 0; all.length < limit; ) {
        const [one, other] = [ours[i], theirs[j]];
        const isOurs = other === undefined || (one !== undefined && one.startedAt >= other.startedAt);
        const next = isOurs ? one : other;
        if (next === undefined) break;
        all.push(next);
        if (isOurs) i++;
        else j++;
      }
      return all;
    },
    jobs: (batch, states) => recordOf(batch).jobs(batch, states),
    degraded: (batch) => recordOf(batch).degraded(batch),
    async close() {
      await index.close();
      await store.close();
    },
  };
}

async function batchOrError(record: PastBatches, idPrefix: string) {
  try {
    return { found: await record.batch(idPrefix) };
  } catch (error) {
    if (error instanceof ImgtoolError && error.code === 'unknown_batch') return { error };
    throw error;
  }
}
