import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Index, Run } from '../../src/ports.ts';
import { batchOptions, newJob } from '../records.ts';
import { begin, completeJob, countsIn, type IndexPair, NOTHING } from './index-steps.ts';

/** The contract of every index for batches that are cancelled, also by another process. */
export function indexOfCancellingConformance(name: string, openPair: () => Promise<IndexPair>): void {
  describe(`${name} as the index that cancels a batch`, () => {
    let pair: IndexPair;
    let index: Index;
    let run: Run;
    beforeEach(async () => {
      pair = await openPair();
      index = pair.one;
      run = await begin(index);
    });
    afterEach(() => pair.close());

    const add = (...names: string[]) =>
      index.add(
        run,
        names.map((one) => newJob(one)),
        NOTHING,
      );
    /** Handles dead runs as the start of a run does. */
    const cleanUp = async () => {
      const dead = await pair.other.dead();
      await pair.other.recover(dead);
      return dead;
    };

    it('notifies only the run that works on the batch', async () => {
      await add('a');
      const other = await begin(pair.other);
      expect(await index.isCancelAsked(run)).toBe(false);
      expect(await pair.other.askToCancel(run.batch)).toBe('asked');
      expect(await pair.other.askToCancel(run.batch)).toBe('asked');
      expect([await index.isCancelAsked(run), await pair.other.isCancelAsked(other)]).toEqual([true, false]);
      expect((await pair.other.batch(run.batch)).state).toBe('running');
      expect(await countsIn(pair.other, run)).toEqual({ pending: 1 });
    });

    it('is forgotten once the batch is resumed', async () => {
      await add('a');
      await pair.other.askToCancel(run.batch);
      await index.end(run, 'cancelled');
      const choice = { states: ['cancelled'], withdrawn: [], walk: false, options: batchOptions() } as const;
      const again = await index.resume('ffffabcd', run.batch, choice);
      expect(await index.isCancelAsked(again.run)).toBe(false);
      await index.end(again.run, 'interrupted');
      expect((await index.batch(run.batch)).state).toBe('interrupted');
    });

    it('reports that a completed batch has ended, and changes nothing', async () => {
      await completeJob(index, run, 'a');
      await index.end(run, 'finished');
      const before = await index.batch(run.batch);
      expect(await pair.other.askToCancel(run.batch)).toBe('ended');
      expect(await pair.other.batch(run.batch)).toEqual(before);
    });

    it('cancels an interrupted batch, and then its pending jobs', async () => {
      await add('a', 'b');
      const { finishedAt } = await index.end(run, 'interrupted');
      expect(await pair.other.askToCancel(run.batch)).toBe('cancelled');
      expect(await pair.other.cancelWaiting(run, 9)).toBe(2);
      const batch = await index.batch(run.batch);
      expect([batch.state, batch.finishedAt]).toEqual(['cancelled', finishedAt]);
      expect(await pair.other.askToCancel(run.batch)).toBe('ended');
      expect(await countsIn(pair.other, run)).toEqual({ cancelled: 2 });
    });

    it('cancels a batch whose run died: at once for readers, and for good after the cleanup', async () => {
      await add('a', 'b', 'c');
      await index.take(run, 1, Date.now());
      await index.close();
      expect(await pair.other.askToCancel(run.batch)).toBe('cancelled');
      expect(await pair.other.cancelWaiting(run, 9)).toBe(2);
      expect((await pair.other.batch(run.batch)).state).toBe('cancelled');
      expect(await countsIn(pair.other, run)).toEqual({ cancelled: 3 });
      expect(await pair.other.batches(9)).toMatchObject([{ id: run.batch, state: 'cancelled' }]);
      expect(await cleanUp()).toMatchObject([{ batch: run.batch, outputs: ['/out/a_small.webp'] }]);
      expect(await pair.other.batch(run.batch)).toMatchObject({ state: 'cancelled' });
      expect(await countsIn(pair.other, run)).toEqual({ cancelled: 3 });
    });

    it('leaves no pending job in a batch whose run died during the cancellation', async () => {
      await add('a', 'b', 'c');
      await index.take(run, 1, Date.now());
      expect(await pair.other.askToCancel(run.batch)).toBe('asked');
      await index.close();
      await cleanUp();
      expect((await pair.other.batch(run.batch)).state).toBe('cancelled');
      expect(await countsIn(pair.other, run)).toEqual({ cancelled: 3 });
    });

    it('rejects an unknown id', async () => {
      await expect(index.askToCancel('00')).rejects.toMatchObject({ code: 'unknown_batch' });
    });
  });
}
