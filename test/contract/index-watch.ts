import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Counts, Job, JobRecord, JobState } from '../../src/model.ts';
import type { Index, NewJob, Run, Settlement } from '../../src/ports.ts';
import { batchOptions, newJob, outputRecord, sha, sourceRecord } from '../records.ts';
import { type IndexPair, NOTHING } from './index-steps.ts';

const ERROR = { code: 'corrupt', message: 'torn', fix: 'send it again' };

/** The contract of every index for a batch that does not end by itself. */
export function indexOfWatchConformance(name: string, openPair: () => Promise<IndexPair>): void {
  describe(`${name} as the index of a watch`, () => {
    let pair: IndexPair;
    let index: Index;
    let run: Run;
    beforeEach(async () => {
      pair = await openPair();
      index = pair.one;
      const batch = { command: 'watch', inputs: ['photos'], cwd: '/', options: batchOptions() } as const;
      run = await index.begin({ run: '0001abcd', ...batch });
    });
    afterEach(() => pair.close());

    const settled = (state: Settlement['state'], over: Partial<Settlement> = {}): Settlement => ({
      ...{ state, made: [], skipped: [], outputs: [] },
      ...over,
    });
    const renew = (...names: string[]) =>
      index.renew(
        run,
        names.map((one) => newJob(one)),
      );
    const takeOne = async () => (await index.take(run, 1, Date.now()))[0]!;
    /** Adds one job and ends it in this state. */
    const end = async (job: NewJob, settlement: Settlement): Promise<Job> => {
      await index.renew(run, [job]);
      const taken = await takeOne();
      await index.settle(run, taken, settlement);
      return taken;
    };
    const complete = (one: string, over: Partial<Settlement> = {}) => {
      const source = `/photos/${one}`;
      const made = [outputRecord(`/out/${one}_small.webp`, source)];
      const output = { variant: 'small', format: 'webp', path: made[0]!.path } as const;
      const outputs = [{ ...output, width: 100, height: 75, bytes: 300 }];
      return end(
        newJob(one),
        settled('completed', { source: sourceRecord(source), made, outputs, bytes: 1_000, ...over }),
      );
    };
    const records = async (...states: JobState[]) => {
      const all: JobRecord[] = [];
      for await (const one of pair.other.jobs(run.batch, states)) all.push(one);
      return all;
    };
    /** The counts above 0. Their sum is the batch's total. */
    const counts = async (): Promise<Partial<Counts>> => {
      const all = Object.entries((await pair.other.batch(run.batch)).counts);
      return Object.fromEntries(all.filter(([, count]) => count > 0));
    };
    describe('when sources have changed', () => {
      it('adds the jobs of new sources once, and reserves their names as usual', async () => {
        const candidates = [['/out/x.webp'], ['/out/x~1.webp']];
        const jobs = [newJob('x.jpg', { candidates }), newJob('x.png', { candidates })];
        expect(await index.renew(run, jobs)).toEqual({ begun: 2, inWork: [] });
        expect(await index.renew(run, jobs)).toEqual({ begun: 0, inWork: [] });
        expect(await counts()).toEqual({ pending: 2 });
        const taken = await index.take(run, 9, Date.now());
        expect(taken.map(({ source, naming, attempts }) => [source, naming, attempts])).toEqual([
          ['/photos/x.jpg', 0, 0],
          ['/photos/x.png', 1, 0],
        ]);
      });

      it('skips sources in work, and returns them', async () => {
        await renew('a', 'b');
        const [a] = await index.take(run, 1, Date.now());
        expect(await renew('a', 'b', 'c')).toEqual({ begun: 1, inWork: ['/photos/a'] });
        expect(await counts()).toEqual({ pending: 2, processing: 1 });
        await index.settle(run, a!, settled('completed', { source: sourceRecord('/photos/a') }));
        expect(await counts()).toEqual({ pending: 2, completed: 1 });
        expect(await renew('a')).toEqual({ begun: 1, inWork: [] });
      });

      it.each(['completed', 'duplicate', 'failed', 'cancelled'] as const)(
        'makes a %s job pending as if it were new',
        async (state) => {
          await renew('a');
          if (state === 'cancelled') await index.cancelWaiting(run, 9);
          else {
            const source = sourceRecord('/photos/a');
            const ends: Record<typeof state, Partial<Settlement>> = {
              completed: { source },
              duplicate: { source, duplicateOf: '/photos/b' },
              failed: { error: ERROR },
            };
            await index.giveBack(await takeOne(), 'retrying', 0);
            await index.settle(run, await takeOne(), settled(state, ends[state]));
          }
          expect(await counts()).toEqual({ [state]: 1 });
          expect(await renew('a')).toEqual({ begun: 1, inWork: [] });
          expect(await counts()).toEqual({ pending: 1 });
          expect(await records('pending')).toMatchObject([
            { source: '/photos/a', attempts: 0, error: null, duplicateOf: null, finishedAt: null },
          ]);
          expect(await takeOne()).toMatchObject({ source: '/photos/a', attempts: 0 });
          expect(await counts()).toEqual({ processing: 1 });
        },
      );

      it('restarts a job that waits for another attempt, without counting it again', async () => {
        await renew('a');
        await index.giveBack(await takeOne(), 'retrying', Date.now() + 600_000);
        expect(await counts()).toEqual({ retrying: 1 });
        expect(await renew('a')).toEqual({ begun: 0, inWork: [] });
        expect(await counts()).toEqual({ pending: 1 });
        expect(await takeOne()).toMatchObject({ source: '/photos/a', attempts: 0 });
      });

      it('counts the last result of a job, and the bytes of every time', async () => {
        await complete('a');
        await renew('a');
        await index.settle(run, await takeOne(), settled('failed', { error: ERROR }));
        await complete('a', { bytes: 2_000 });
        expect(await counts()).toEqual({ completed: 1 });
        expect(await pair.other.batch(run.batch)).toMatchObject({ bytesIn: 3_000, bytesOut: 600 });
        expect(await records('completed', 'failed')).toMatchObject([{ source: '/photos/a', bytes: 2_000 }]);
      });

      it('keeps a job completed whose bytes are unchanged, and does not count it twice', async () => {
        await complete('a');
        const [before] = await records('completed');
        await renew('a');
        const found = sourceRecord('/photos/a', { mtime: '1700000000000000001' });
        const same = settled('unchanged', { source: found, outputs: before!.outputs, bytes: 1_000 });
        await index.settle(run, await takeOne(), same);
        expect(await counts()).toEqual({ completed: 1 });
        const [after] = await records('completed');
        expect(after).toEqual({ ...before, finishedAt: after!.finishedAt });
        expect(await pair.other.batch(run.batch)).toMatchObject({ bytesIn: 1_000, bytesOut: 300 });
        expect((await index.lookup(['/photos/a'], [])).source('/photos/a')).toEqual(found);
        expect((await index.end(run, 'finished')).state).toBe('finished');
      });

      it('does not report the previous result for new bytes that need no work', async () => {
        await complete('a');
        await renew('a');
        const source = sourceRecord('/photos/a', { digest: sha('other bytes') });
        await index.settle(run, await takeOne(), settled('unchanged', { source, bytes: 1_000 }));
        expect(await counts()).toEqual({ unchanged: 1 });
        expect(await records('completed')).toEqual([]);
      });

      it('counts a job as unchanged that never completed in this batch, without a row', async () => {
        await end(newJob('a'), settled('failed', { error: ERROR }));
        await renew('a');
        const same = settled('unchanged', { source: sourceRecord('/photos/a'), bytes: 1_000 });
        await index.settle(run, await takeOne(), same);
        expect(await counts()).toEqual({ unchanged: 1 });
        expect(await records('pending', 'processing', 'completed', 'failed')).toEqual([]);
      });

      it('stops counting a source as unchanged when it changes', async () => {
        await index.add(run, [], {
          ...{ unchanged: 2, bytesIn: 2_000, bytesOut: 600, degraded: ['/photos/a', '/photos/b'] },
        });
        expect(await index.renew(run, [newJob('a', { isCounted: true }), newJob('c')])).toEqual({
          begun: 2,
          inWork: [],
        });
        expect(await counts()).toEqual({ unchanged: 1, pending: 2 });
        expect((await index.batch(run.batch)).degraded).toBe(1);
        expect(await index.renew(run, [newJob('a', { isCounted: true })])).toEqual({ begun: 0, inWork: [] });
        expect(await counts()).toEqual({ unchanged: 1, pending: 2 });
      });

      it('releases the bytes that a job had claimed before', async () => {
        await renew('a', 'b');
        const [a, b] = await index.take(run, 2, Date.now());
        await index.claim(run, a!, sha('old'));
        await index.giveBack(a!, 'retrying', Date.now() + 600_000);
        await renew('a');
        expect(await index.claim(run, b!, sha('old'))).toBe(true);
      });

      it('returns its forgotten names to a source that comes back, even if another source wants them', async () => {
        const candidates = [['/out/x.webp'], ['/out/x~1.webp']];
        const first = newJob('x.jpg', { candidates });
        await end(first, settled('completed', { source: sourceRecord(first.source) }));
        await index.forget(first.source, ['/out/x.webp'], [], true);
        await index.renew(run, [newJob('x.png', { candidates }), first]);
        expect(
          (await index.take(run, 9, Date.now())).map(({ relative, naming }) => [relative, naming]).sort(),
        ).toEqual([
          ['x.jpg', 1],
          ['x.png', 0],
        ]);
      });

      it('leaves the jobs of other batches alone', async () => {
        const of = { command: 'process', inputs: ['photos'], cwd: '/', options: batchOptions() } as const;
        const theirs = await pair.other.begin({ run: '0002abcd', ...of });
        await pair.other.add(theirs, [newJob('a')], NOTHING);
        await pair.other.take(theirs, 1, Date.now());
        expect(await renew('a')).toEqual({ begun: 1, inWork: [] });
        expect((await index.batch(theirs.batch)).counts).toMatchObject({ processing: 1, pending: 0 });
      });
    });

    describe('when a job is withdrawn', () => {
      it('forgets the job, and lets the next job claim its bytes', async () => {
        await renew('a', 'b');
        const [a, b] = await index.take(run, 2, Date.now());
        await index.claim(run, a!, sha('x'));
        expect(await index.claim(run, b!, sha('x'))).toBe(false);
        await index.withdraw(a!);
        expect(await counts()).toEqual({ processing: 1 });
        expect(await records('pending', 'processing', 'cancelled').then((all) => all.length)).toBe(1);
        expect(await index.claim(run, b!, sha('x'))).toBe(true);
      });

      it('treats its source as new when it comes back', async () => {
        await renew('a');
        await index.withdraw(await takeOne());
        expect(await counts()).toEqual({});
        expect(await renew('a')).toEqual({ begun: 1, inWork: [] });
        expect(await takeOne()).toMatchObject({ source: '/photos/a', attempts: 0, naming: 0 });
      });

      it('keeps earlier outputs of its source', async () => {
        await complete('a');
        await renew('a');
        await index.withdraw(await takeOne());
        expect(await counts()).toEqual({});
        expect(await index.ownedBy('/photos/a')).toHaveLength(1);
        const lookup = await index.lookup(['/photos/a'], []);
        expect(lookup.source('/photos/a')).toEqual(sourceRecord('/photos/a'));
      });
    });
  });
}
