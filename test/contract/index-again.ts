import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Counts, JobRecord, JobState } from '../../src/model.ts';
import type { Index, ResumeChoice, Run, Settlement } from '../../src/ports.ts';
import { batchOptions, newJob, outputRecord, sourceRecord } from '../records.ts';
import { type IndexPair, NOTHING } from './index-steps.ts';

const CANCELLED: ResumeChoice = {
  states: ['cancelled'],
  withdrawn: [],
  walk: false,
  options: batchOptions(),
};
const FAILED: ResumeChoice = { ...CANCELLED, states: ['failed'] };
const TORN = { code: 'corrupt', message: 'torn', fix: 'copy it again' };

/** The contract of every index for batches that are resumed, also by another process. */
export function indexOfBatchesAgainConformance(name: string, openPair: () => Promise<IndexPair>): void {
  describe(`${name} as the index of resumed batches`, () => {
    let pair: IndexPair;
    let index: Index;
    let run: Run;
    let runs = 0;
    beforeEach(async () => {
      pair = await openPair();
      index = pair.one;
      run = await begin();
    });
    afterEach(() => pair.close());

    const nextRun = () => `${(++runs).toString(16).padStart(4, '0')}ef01`;
    const begin = (of = index): Promise<Run> =>
      of.begin({
        ...{ run: nextRun(), command: 'process', inputs: ['photos'], cwd: '/', options: batchOptions() },
      });
    const add = (...names: string[]) =>
      index.add(
        run,
        names.map((one) => newJob(one)),
        NOTHING,
      );
    /** Adds one job and ends it in this state. */
    const end = async (one: string, state: Settlement['state'], over: Partial<Settlement> = {}) => {
      await add(one);
      const [job] = await index.take(run, 1, Date.now());
      const error = state === 'failed' ? { error: TORN } : {};
      await index.settle(run, job!, { state, made: [], skipped: [], outputs: [], ...error, ...over });
    };
    const complete = (one: string) => {
      const source = sourceRecord(`/photos/${one}`);
      const record = outputRecord(`/out/${one}_small.webp`, source.path);
      return end(one, 'completed', { source, made: [record], outputs: [outputOf(one)], bytes: 1_000 });
    };
    const countsOf = async (batch = run.batch): Promise<Partial<Counts>> => {
      const all = Object.entries((await pair.other.batch(batch)).counts);
      return Object.fromEntries(all.filter(([, count]) => count > 0));
    };
    const jobsIn = async (...states: JobState[]) => {
      const found: JobRecord[] = [];
      for await (const one of pair.other.jobs(run.batch, states)) found.push(one);
      return found;
    };
    /** Handles dead runs as the start of a run does. */
    const cleanUp = async () => {
      const dead = await pair.other.dead();
      await pair.other.recover(dead);
      return dead;
    };
    const namesIn = async (...states: JobState[]) => (await jobsIn(...states)).map(({ source }) => source);

    describe('resuming a batch', () => {
      it('makes only jobs in the requested states pending again', async () => {
        await complete('a');
        await end('b', 'failed');
        await add('c', 'd');
        await index.cancelWaiting(run, 9);
        await index.end(run, 'cancelled');
        const again = await pair.other.resume(nextRun(), run.batch, CANCELLED);
        expect(again.batch).toMatchObject({ id: run.batch, state: 'running', finishedAt: null });
        expect(again.batch.counts).toMatchObject({ pending: 2, completed: 1, failed: 1, cancelled: 0 });
        expect(await namesIn('pending')).toEqual(['/photos/c', '/photos/d']);
        expect((await pair.other.take(again.run, 9, Date.now())).map(({ source }) => source)).toEqual([
          '/photos/c',
          '/photos/d',
        ]);
      });

      it('gives a failed job all its attempts again, and removes its failure', async () => {
        await add('a');
        for (let attempt = 0; attempt < 2; attempt++) {
          const [job] = await index.take(run, 1, Date.now());
          await index.giveBack(job!, 'retrying', 0);
        }
        const [last] = await index.take(run, 1, Date.now());
        await index.settle(run, last!, { state: 'failed', error: TORN, made: [], skipped: [], outputs: [] });
        await index.end(run, 'finished');
        expect(await jobsIn('failed')).toMatchObject([{ attempts: 3, error: TORN }]);
        const again = await index.resume(nextRun(), run.batch, FAILED);
        expect(await jobsIn('pending')).toMatchObject([{ attempts: 0, error: null, finishedAt: null }]);
        const [job] = await index.take(again.run, 1, 0);
        expect(job).toMatchObject({ source: '/photos/a', attempts: 0 });
      });

      it('ignores the retry time that another process has set for a job', async () => {
        await add('a');
        const [job] = await index.take(run, 1, Date.now());
        await index.giveBack(job!, 'retrying', Date.now() + 3_600_000);
        await index.end(run, 'interrupted');
        const again = await pair.other.resume(nextRun(), run.batch, CANCELLED);
        expect(await countsOf()).toEqual({ pending: 1 });
        expect(await pair.other.take(again.run, 9, 0)).toHaveLength(1);
      });

      it('keeps the counts of a batch whose walk had ended', async () => {
        await index.add(run, [newJob('z')], { unchanged: 2, bytesIn: 50, bytesOut: 5 });
        await index.walked(run, 7, true);
        await index.end(run, 'interrupted');
        const { batch } = await index.resume(nextRun(), run.batch, CANCELLED);
        expect(batch).toMatchObject({ walkEnded: true, passedOver: 7, bytesIn: 50, bytesOut: 5 });
        expect(await countsOf()).toEqual({ pending: 1, unchanged: 2 });
      });

      it('forgets unchanged sources before a new walk, and counts the bytes of the rest', async () => {
        await complete('a');
        await end('b', 'duplicate', { duplicateOf: '/photos/a', outputs: [outputOf('b')], bytes: 1_000 });
        await end('c', 'failed');
        await index.add(run, [], { unchanged: 3, bytesIn: 9_000, bytesOut: 900 });
        await index.walked(run, 2, false);
        await index.end(run, 'cancelled');
        expect(await index.batch(run.batch)).toMatchObject({ bytesIn: 11_000, bytesOut: 918 });
        const { batch } = await index.resume(nextRun(), run.batch, { ...CANCELLED, walk: true });
        expect(batch).toMatchObject({ walkEnded: false, bytesIn: 2_000, bytesOut: 18 });
        expect(await countsOf()).toEqual({ completed: 1, duplicate: 1, failed: 1 });
      });

      it('counts the outputs of skipped duplicates only for their owner', async () => {
        const options = batchOptions({ duplicates: 'skip' });
        await complete('a');
        const held = {
          path: '/out/b_small.webp',
          source: '/photos/b',
          checksum: null,
          presets: null,
          variant: 'small',
        };
        const skipped = [{ ...held, settings: 'aa', digest: '00' }];
        await end('b', 'duplicate', {
          ...{ duplicateOf: '/photos/a', outputs: [outputOf('a')], bytes: 1_000, skipped },
        });
        const before = await index.end(run, 'cancelled');
        const { batch } = await index.resume(nextRun(), run.batch, { ...CANCELLED, walk: true, options });
        expect([batch.bytesIn, batch.bytesOut]).toEqual([before.bytesIn, before.bytesOut]);
        expect([batch.bytesIn, batch.bytesOut]).toEqual([2_000, 9]);
      });

      it('records the new options', async () => {
        await add('a');
        await index.end(run, 'interrupted');
        const options = batchOptions({ jobs: 7, limits: { ...batchOptions().limits, lenient: true } });
        const { batch } = await index.resume(nextRun(), run.batch, { ...CANCELLED, options });
        expect(batch.options).toEqual(options);
        expect((await pair.other.batch(run.batch)).jobs).toBe(7);
      });

      it('refuses a running batch, and leaves it unchanged', async () => {
        await end('a', 'failed');
        await add('b');
        const other = nextRun();
        await expect(pair.other.resume(other, run.batch, FAILED)).rejects.toMatchObject({
          code: 'batch_running',
        });
        expect(await countsOf()).toEqual({ pending: 1, failed: 1 });
        await index.end(run, 'interrupted');
        expect((await pair.other.resume(other, run.batch, FAILED)).run.run, 'its lock is free').toBe(other);
      });

      it('succeeds for one of two processes', async () => {
        await add('a');
        await index.end(run, 'interrupted');
        const [one, two] = await Promise.allSettled([
          index.resume(nextRun(), run.batch, CANCELLED),
          pair.other.resume(nextRun(), run.batch, CANCELLED),
        ]);
        expect([one.status, two.status].sort()).toEqual(['fulfilled', 'rejected']);
        const { reason } = [one, two].find(({ status }) => status === 'rejected') as PromiseRejectedResult;
        expect(reason).toMatchObject({ code: 'batch_running' });
      });

      it('rejects an unknown id, and a beginning of an id', async () => {
        await index.end(run, 'finished');
        for (const id of ['00', run.batch.slice(0, 5), '']) {
          await expect(index.resume(nextRun(), id, CANCELLED)).rejects.toMatchObject({
            code: 'unknown_batch',
          });
        }
      });

      it('protects a resumed batch from an outdated cleanup of its dead run', async () => {
        await add('a');
        await index.take(run, 1, Date.now());
        await index.close();
        const seenDead = await pair.other.dead();
        await cleanUp();
        const again = await pair.other.resume(nextRun(), run.batch, CANCELLED);
        await pair.other.take(again.run, 1, Date.now());
        await pair.other.recover(seenDead);
        expect(await pair.other.batch(run.batch)).toMatchObject({ state: 'running' });
        expect(await countsOf()).toEqual({ processing: 1 });
      });

      it('leaves the batch interrupted, with the rest pending, if the second run dies too', async () => {
        await complete('a');
        await add('b', 'c');
        await index.end(run, 'interrupted');
        const again = await index.resume(nextRun(), run.batch, CANCELLED);
        await index.take(again.run, 1, Date.now());
        await index.close();
        expect((await pair.other.batch(run.batch)).state).toBe('interrupted');
        expect(await countsOf(), 'no run works on its jobs').toEqual({ pending: 2, completed: 1 });
        expect(await cleanUp()).toEqual([{ ...again.run, outputs: ['/out/b_small.webp'] }]);
        expect(await countsOf()).toEqual({ pending: 2, completed: 1 });
        const third = await pair.other.resume(nextRun(), run.batch, CANCELLED);
        const taken = await pair.other.take(third.run, 9, Date.now());
        expect(taken.map(({ source, attempts }) => [source, attempts])).toEqual([
          // An interrupted attempt does not count.
          ['/photos/b', 0],
          ['/photos/c', 0],
        ]);
      });
    });

    it('lists the sources of the batch, whatever their results', async () => {
      await complete('a');
      await end('b', 'failed');
      await end('c', 'unchanged');
      await add('d');
      const other = await begin(pair.other);
      await pair.other.add(other, [newJob('e')], NOTHING);
      const sources = ['e', 'd', 'none', 'c', 'b', 'a'].map((one) => `/photos/${one}`);
      // Unchanged sources have no rows, so a new walk counts them again.
      expect(await pair.other.known(run, sources)).toEqual(['/photos/d', '/photos/b', '/photos/a']);
      expect(await index.known(other, sources)).toEqual(['/photos/e']);
      expect(await index.known(run, [])).toEqual([]);
    });
  });
}

function outputOf(name: string): Settlement['outputs'][number] {
  return {
    ...{ variant: 'small', format: 'webp', path: `/out/${name}_small.webp`, width: 1, height: 1, bytes: 9 },
  };
}
