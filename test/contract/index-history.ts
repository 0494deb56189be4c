import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { JobRecord } from '../../src/model.ts';
import type { Index } from '../../src/ports.ts';
import { batchOptions, newJob, outputRecord, sha, sourceRecord } from '../records.ts';
import { begin, type IndexPair, NOTHING, settled, takeOne } from './index-steps.ts';

/** The contract of every index for what happened. */
export function indexOfHistoryConformance(name: string, openPair: () => Promise<IndexPair>): void {
  describe(`${name} as the history`, () => {
    let pair: IndexPair;
    let index: Index;
    beforeEach(async () => {
      pair = await openPair();
      index = pair.one;
    });
    afterEach(() => pair.close());

    it('adds ctimes only to records without one', async () => {
      const records = [
        sourceRecord('/photos/a', { ctime: null }),
        sourceRecord('/photos/b', { ctime: '5' }),
        sourceRecord('/photos/c', { ctime: null }),
      ] as const;
      const run = await begin(index);
      for (const source of records) {
        await index.add(run, [newJob(source.path, { source: source.path })], NOTHING);
        await index.settle(run, await takeOne(index, run), settled({ state: 'completed', source }));
      }
      const seen = ['a', 'b', 'none'].map((one) => ({ path: `/photos/${one}`, ctime: '7' }));
      await pair.other.addCtimes(seen);
      await pair.other.addCtimes([]);
      const paths = [...records, { path: '/photos/none' }].map(({ path }) => path);
      const lookup = await index.lookup(paths, []);
      expect(paths.map((path) => lookup.source(path)?.ctime)).toEqual(['7', '5', null, undefined]);
      expect(lookup.source('/photos/a')).toEqual({ ...records[0], ctime: '7' });
    });

    it('keeps failures with their reason and fix, and outputs with each completed job', async () => {
      const run = await begin(index);
      await index.add(run, [newJob('a'), newJob('b')], NOTHING);
      const [a, b] = await index.take(run, 2, Date.now());
      const output = {
        variant: 'small',
        format: 'webp' as const,
        path: '/out/a',
        width: 1,
        height: 1,
        bytes: 9,
      };
      await index.settle(
        run,
        a!,
        settled({ state: 'completed', source: sourceRecord('/photos/a'), outputs: [output], bytes: 50 }),
      );
      const error = { code: 'not_an_image', message: 'content is PDF', fix: 'remove it' };
      await index.settle(run, b!, settled({ state: 'failed', error }));
      const records: JobRecord[] = [];
      for await (const one of pair.other.jobs(run.batch, ['failed', 'completed'])) records.push(one);
      expect(records.map(({ state }) => state)).toEqual(['failed', 'completed']);
      expect(records[0]).toMatchObject({ source: '/photos/b', error, attempts: 1 });
      expect(records[1]).toMatchObject({ source: '/photos/a', outputs: [output], error: null });
      const batch = await index.end(run, 'finished');
      expect(batch).toMatchObject({ state: 'finished', bytesIn: 50, bytesOut: 9 });
      expect(batch.finishedAt).toBeGreaterThanOrEqual(batch.startedAt);
    });

    it('counts the damaged sources that have outputs, with and without a job', async () => {
      const run = await begin(index);
      await index.add(run, [newJob('a'), newJob('b'), newJob('c')], { ...NOTHING, degraded: ['/photos/z'] });
      const jobs = await index.take(run, 3, Date.now());
      for (const [i, state] of (['completed', 'unchanged', 'completed'] as const).entries()) {
        const job = jobs[i]!;
        const source = sourceRecord(job.source, { degraded: i < 2 });
        await index.settle(run, job, settled({ state, source }));
        const found = (await pair.other.lookup([job.source], [])).source(job.source);
        expect(found?.degraded, 'as recorded').toBe(i < 2);
      }
      expect((await pair.other.batch(run.batch)).degraded).toBe(3);
    });

    it('keeps that a source is damaged until its bytes change', async () => {
      const run = await begin(index);
      const known = async () => (await pair.other.lookup(['/photos/a'], [])).source('/photos/a')?.degraded;
      const settle = async (over: { degraded: boolean; digest?: string }) => {
        await index.renew(run, [newJob('a')]);
        const source = sourceRecord('/photos/a', over);
        await index.settle(run, await takeOne(index, run), settled({ state: 'completed', source }));
        return known();
      };
      expect(await settle({ degraded: true })).toBe(true);
      expect(await settle({ degraded: false })).toBe(true);
      expect(await settle({ degraded: false, digest: sha('other') })).toBe(false);
    });

    it('counts an unchanged job without keeping a row of it', async () => {
      const run = await begin(index);
      await index.add(run, [newJob('a')], NOTHING);
      await index.settle(
        run,
        await takeOne(index, run),
        settled({ state: 'unchanged', source: sourceRecord('/photos/a') }),
      );
      expect((await index.batch(run.batch)).counts).toMatchObject({
        unchanged: 1,
        processing: 0,
        completed: 0,
      });
      for await (const one of index.jobs(run.batch, ['pending', 'processing', 'completed']))
        expect(one).toBeNull();
    });

    it('lists batches newest first and finds one by any unique beginning of its id', async () => {
      const ids = [];
      for (let i = 0; i < 3; i++) ids.push((await begin(index)).batch);
      expect((await index.batches(2)).length).toBe(2);
      expect((await index.batches(9)).map(({ id }) => id).sort()).toEqual([...ids].sort());
      expect((await index.batch(ids[0]!.slice(0, 7))).id).toBe(ids[0]);
      await expect(index.batch('zz')).rejects.toMatchObject({ code: 'unknown_batch' });
      await expect(index.batch('')).rejects.toMatchObject({ code: 'unknown_batch' });
      await expect(index.batch("' OR 1=1")).rejects.toMatchObject({ code: 'unknown_batch' });
    });

    it('lists batches in the order of their starts, also if the clock was set back', async () => {
      vi.useFakeTimers({ toFake: ['Date'] });
      try {
        const ids: string[] = [];
        for (const at of [5_000, 1_000, 2_000]) {
          vi.setSystemTime(at);
          ids.unshift((await begin(index)).batch);
        }
        expect((await index.batches(9)).map(({ id }) => id)).toEqual(ids);
      } finally {
        vi.useRealTimers();
      }
    });

    it('finds the last batch of each output folder with a preset, also if the clock was set back', async () => {
      vi.useFakeTimers({ toFake: ['Date'] });
      try {
        const begun = async (at: number, out: string, preset = 'custom') => {
          vi.setSystemTime(at);
          const options = { ...batchOptions(), out };
          return (await begin(index, { ...options, preset: { ...options.preset, name: preset } })).batch;
        };
        await begun(5_000, '/out');
        const last = await begun(1_000, '/out');
        const inside = await begun(2_000, '/out/in');
        await begun(9_000, '/out', 'web');
        const found = await index.lastOfPreset('custom');
        expect(found.map(({ id }) => id).sort()).toEqual([last, inside].sort());
        expect(await index.lastOfPreset('none')).toEqual([]);
      } finally {
        vi.useRealTimers();
      }
    });

    it('changes nothing if a repeatable step is repeated', async () => {
      const run = await begin(index);
      await index.add(run, [newJob('a'), newJob('b')], { ...NOTHING, unchanged: 1 });
      expect(await index.add(run, [newJob('a')], NOTHING)).toBe(0);
      const [first, second] = await index.take(run, 2, Date.now());
      const made = [outputRecord('/out/a_small.webp', '/photos/a')];
      await index.settle(run, first!, settled({ state: 'completed', made }));
      for (let i = 0; i < 2; i++) expect(await index.claim(run, second!, sha('b'))).toBe(true);
      const twice = async (step: () => Promise<unknown>) => {
        await step();
        const once = [await pair.other.batch(run.batch), await index.ownedBy('/photos/a')];
        await step();
        expect([await pair.other.batch(run.batch), await index.ownedBy('/photos/a')]).toEqual(once);
      };
      await twice(() => index.withdraw(second!));
      await twice(() => index.walked(run, 3, true));
      await twice(() => index.distrust(made, 'damaged'));
      await twice(() => index.forget('/photos/a', [made[0]!.path], [], true));
      await twice(() => index.end(run, 'finished'));
      await twice(() => index.recover([{ ...run, outputs: [] }]));
      expect(await index.batch(run.batch)).toMatchObject({
        state: 'finished',
        passedOver: 3,
        counts: { completed: 1, unchanged: 1 },
      });
    });

    it('keeps what was passed over, and the finished variants of a job while it is in work', async () => {
      const run = await begin(index);
      const aside = { passedOverBy: { hidden: 1, unsupported_format: 2 }, passedOverKinds: { PDF: 2 } };
      expect((await index.batch(run.batch)).aside).toBe(null);
      for (let i = 0; i < 2; i++) await index.walked(run, 3, true, aside);
      await index.walked(run, 3, true);
      expect((await pair.other.batch(run.batch)).aside).toEqual(aside);
      await index.add(run, [newJob('/photos/a')], NOTHING);
      const job = await takeOne(index, run);
      const parts = async (state: 'pending' | 'processing') => {
        const all: unknown[] = [];
        for await (const { part } of pair.other.jobs(run.batch, [state])) all.push(part);
        return all;
      };
      expect(await parts('processing')).toEqual([null]);
      const part = { done: 1, total: 3, share: 0.25 };
      for (let i = 0; i < 2; i++) await index.notePart(job.id, part);
      expect(await parts('processing')).toEqual([part]);
      await index.giveBack(job, 'pending');
      await index.notePart(job.id, part);
      expect(await parts('pending')).toEqual([null]);
      await takeOne(index, run);
      expect(await parts('processing')).toEqual([null]);
    });

    it('prunes old history and never the outputs', async () => {
      const run = await begin(index);
      await index.add(run, [newJob('a')], NOTHING);
      const made = outputRecord('/out/a_small.webp', '/photos/a');
      await index.settle(run, await takeOne(index, run), settled({ state: 'completed', made: [made] }));
      await index.end(run, 'finished');
      const live = await begin(index);
      await index.prune(Date.now() + 1_000);
      expect((await index.batches(9)).map(({ id }) => id)).toEqual([live.batch]);
      expect((await index.lookup([], [made.path])).output(made.path)).toEqual(made);
    });
  });
}
