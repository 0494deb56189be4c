import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JobRecord } from '../../src/model.ts';
import type { Index } from '../../src/ports.ts';
import { batchOptions, newJob, sha, sourceRecord } from '../records.ts';
import { indexOfBatchesAgainConformance } from './index-again.ts';
import { indexOfCancellingConformance } from './index-cancel.ts';
import { indexOfForgettingConformance } from './index-forget.ts';
import { indexOfGoneConformance } from './index-gone.ts';
import { indexOfHistoryConformance } from './index-history.ts';
import { indexOfNamesConformance } from './index-names.ts';
import { indexOfOutputsConformance } from './index-outputs.ts';
import { begin, type IndexPair, NOTHING, settled, takeOne } from './index-steps.ts';
import { indexOfWatchConformance } from './index-watch.ts';

/** The contract of every index. */
export function indexConformance(name: string, openPair: () => Promise<IndexPair>): void {
  indexOfWatchConformance(name, openPair);
  indexOfGoneConformance(name, openPair);
  indexOfOutputsConformance(name, openPair);
  indexOfForgettingConformance(name, openPair);
  indexOfBatchesAgainConformance(name, openPair);
  indexOfCancellingConformance(name, openPair);
  indexOfNamesConformance(name, openPair);
  indexOfHistoryConformance(name, openPair);

  describe(`${name} as an index`, () => {
    let pair: IndexPair;
    let index: Index;
    beforeEach(async () => {
      pair = await openPair();
      index = pair.one;
    });
    afterEach(() => pair.close());

    it('keeps the total equal to the sum over the states during the whole life of a batch', async () => {
      const run = await begin(index);
      await index.add(
        run,
        ['a', 'b', 'c', 'd'].map((one) => newJob(one)),
        { ...NOTHING, unchanged: 3 },
      );
      const totals: number[] = [];
      const count = async () => {
        const { counts } = await pair.other.batch(run.batch);
        totals.push(Object.values(counts).reduce((sum, n) => sum + n, 0));
      };
      await count();
      const jobs = await index.take(run, 3, Date.now());
      await count();
      await index.settle(run, jobs[0]!, settled({ state: 'completed', source: sourceRecord('/photos/a') }));
      await count();
      await index.giveBack(jobs[1]!, 'retrying', 0);
      await count();
      await index.settle(
        run,
        jobs[2]!,
        settled({ state: 'failed', error: { code: 'corrupt', message: 'torn' } }),
      );
      await count();
      expect(await index.cancelWaiting(run, 1)).toBe(1);
      expect(await index.cancelWaiting(run, 5)).toBe(1);
      expect(await index.cancelWaiting(run, 5)).toBe(0);
      await count();
      expect(totals).toEqual(totals.map(() => 7));
      const batch = await index.end(run, 'cancelled');
      expect(batch.counts).toEqual({
        pending: 0,
        processing: 0,
        retrying: 0,
        completed: 1,
        duplicate: 0,
        unchanged: 3,
        failed: 1,
        cancelled: 2,
      });
    });

    it('gives each job to one taker only, in the order they were added', async () => {
      const run = await begin(index);
      await index.add(
        run,
        ['a', 'b', 'c', 'd', 'e'].map((one) => newJob(one)),
        NOTHING,
      );
      const [first, second] = await Promise.all([
        index.take(run, 2, Date.now()),
        pair.other.take(run, 10, Date.now()),
      ]);
      expect([...first, ...second].map(({ relative }) => relative).sort()).toEqual(['a', 'b', 'c', 'd', 'e']);
      expect(first.map(({ relative }) => relative)).toEqual(
        [...first.map(({ relative }) => relative)].sort(),
      );
      expect(await index.take(run, 10, Date.now())).toEqual([]);
    });

    it('ignores a source that is already in the batch', async () => {
      const run = await begin(index);
      expect(await index.add(run, [newJob('a')], NOTHING)).toBe(1);
      expect(await index.add(run, [newJob('a'), newJob('b')], NOTHING)).toBe(1);
      expect((await index.batch(run.batch)).counts.pending).toBe(2);
    });

    it('adds a source once that is given twice in one call', async () => {
      const run = await begin(index);
      expect(await index.add(run, [newJob('a'), newJob('b'), newJob('a')], NOTHING)).toBe(2);
      expect((await index.batch(run.batch)).counts.pending).toBe(2);
    });

    it('hands out the largest job of those added together first, whichever has the plain names', async () => {
      const run = await begin(index);
      const candidates = [['/out/x.webp'], ['/out/x~1.webp']];
      const sized = (name: string, size?: number) => newJob(name, { size });
      const small = newJob('x.jpg', { candidates, size: 1 });
      const large = newJob('x.png', { candidates, size: 9 });
      await index.add(run, [small, sized('a', 5), large, sized('b', 5), sized('unknown')], NOTHING);
      await index.add(run, [sized('later', 100)], NOTHING);
      const taken = await index.take(run, 9, Date.now());
      expect(taken.map(({ relative, naming }) => [relative, naming])).toEqual([
        ['x.png', 1],
        ['a', 0],
        ['b', 0],
        ['x.jpg', 0],
        ['unknown', 0],
        ['later', 0],
      ]);
    });

    it('records a job that has failed already, once, and never hands it out before it is done again', async () => {
      const run = await begin(index);
      const error = { code: 'source_unreadable', message: 'may not be read', fix: 'allow it' } as const;
      const folder = newJob('shut', { candidates: [], failed: error });
      expect(await index.add(run, [folder, newJob('a')], NOTHING)).toBe(2);
      expect(await index.add(run, [folder], NOTHING)).toBe(0);
      const taken = await index.take(run, 9, Date.now());
      expect(taken.map(({ relative }) => relative)).toEqual(['a']);
      await index.settle(run, taken[0]!, settled({ state: 'completed', source: sourceRecord('/photos/a') }));
      const { counts } = await index.end(run, 'finished');
      expect([counts.failed, counts.completed, counts.pending]).toEqual([1, 1, 0]);
      const failed: JobRecord[] = [];
      for await (const job of index.jobs(run.batch, ['failed'])) failed.push(job);
      expect(failed).toMatchObject([{ source: '/photos/shut', state: 'failed', error, attempts: 1 }]);
      const choice = { states: ['failed'], walk: false, withdrawn: [], options: batchOptions() } as const;
      const again = await index.resume('ffffabcd', run.batch, choice);
      expect((await index.take(again.run, 9, Date.now())).map(({ relative }) => relative)).toEqual(['shut']);
    });

    it('removes withdrawn jobs as a batch is resumed, and counts its inputs as not walked until they are', async () => {
      const run = await begin(index);
      const error = { code: 'source_unreadable', message: 'may not be read' } as const;
      await index.add(run, [newJob('shut', { candidates: [], failed: error }), newJob('a')], NOTHING);
      await index.walked(run, 0, true);
      const [a] = await index.take(run, 9, Date.now());
      await index.settle(run, a!, settled({ state: 'failed', error }));
      await index.end(run, 'finished');
      const choice = { walk: false, withdrawn: ['/photos/shut'], options: batchOptions() };
      const again = await index.resume('ffffabcd', run.batch, { ...choice, states: ['failed'] });
      expect([again.batch.counts.pending, again.batch.counts.failed]).toEqual([1, 0]);
      expect(again.batch.walkEnded).toBe(false);
      expect(await index.known(again.run, ['/photos/shut', '/photos/a'])).toEqual(['/photos/a']);
      await index.walked(again.run, 0, true);
      expect((await index.end(again.run, 'interrupted')).walkEnded).toBe(true);
    });

    it('lets one job at a time render the same bytes, across processes', async () => {
      const run = await begin(index);
      const otherRun = await begin(pair.other);
      await index.add(run, [newJob('a'), newJob('b')], NOTHING);
      await pair.other.add(otherRun, [newJob('a')], NOTHING);
      const [a, b] = await index.take(run, 2, Date.now());
      const theirs = await takeOne(pair.other, otherRun);
      expect(await index.claim(run, a!, sha('x'))).toBe(true);
      expect(await index.claim(run, a!, sha('x'))).toBe(true);
      expect(await index.claim(run, b!, sha('x'))).toBe(false);
      expect(await pair.other.claim(otherRun, theirs, sha('x'))).toBe(false);
      await index.settle(run, a!, settled({ state: 'completed', source: sourceRecord('/photos/a') }));
      expect(await pair.other.claim(otherRun, theirs, sha('x'))).toBe(true);
    });

    it('does not hand out a retried job before its time', async () => {
      const run = await begin(index);
      await index.add(run, [newJob('a')], NOTHING);
      await index.giveBack(await takeOne(index, run), 'retrying', Date.now() + 60_000);
      expect(await index.take(run, 1, Date.now())).toEqual([]);
    });

    it('does not count an attempt that was returned as pending', async () => {
      const run = await begin(index);
      await index.add(run, [newJob('a')], NOTHING);
      await index.giveBack(await takeOne(index, run), 'pending');
      const again = await takeOne(index, run);
      expect(again.attempts).toBe(0);
      await index.giveBack(again, 'retrying', 0);
      expect((await takeOne(index, run)).attempts).toBe(1);
    });

    it('does not report a live run as dead', async () => {
      const run = await begin(index);
      await index.add(run, [newJob('a')], NOTHING);
      await takeOne(index, run);
      expect(await pair.other.dead()).toEqual([]);
      expect((await pair.other.batch(run.batch)).state).toBe('running');
    });

    it('frees the jobs of a dead run once, and returns the folders of its staged files', async () => {
      const run = await begin(index);
      await index.add(run, [newJob('a'), newJob('b')], NOTHING);
      await takeOne(index, run);
      expect((await pair.other.batch(run.batch)).state).toBe('running');
      await index.close();
      expect((await pair.other.batch(run.batch)).state).toBe('interrupted');
      const dead = await pair.other.dead();
      expect(dead).toEqual([{ ...run, outputs: ['/out/a_small.webp'] }]);
      expect(await pair.other.dead(), 'until they are recovered').toEqual(dead);
      await pair.other.recover(dead);
      expect(await pair.other.dead()).toEqual([]);
      const { counts } = await pair.other.batch(run.batch);
      expect(counts).toMatchObject({ pending: 2, processing: 0 });
    });
  });
}
