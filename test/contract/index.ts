import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JobRecord } from '../../src/model.ts';
import type { Index, Run, Settlement } from '../../src/ports.ts';
import { batchOptions, newJob, outputRecord, sha, sourceRecord } from '../records.ts';
import { indexOfBatchesAgainConformance } from './index-again.ts';
import { indexOfGoneConformance } from './index-gone.ts';
import { indexOfOutputsConformance } from './index-outputs.ts';
import { indexOfWatchConformance } from './index-watch.ts';

const NOTHING = { unchanged: 0, bytesIn: 0, bytesOut: 0 };

/** One index that is opened twice, as by two processes. */
export interface IndexPair {
  readonly one: Index;
  readonly other: Index;
  close(): Promise<void>;
}

/** The contract of every index. */
export function indexConformance(name: string, openPair: () => Promise<IndexPair>): void {
  indexOfWatchConformance(name, openPair);
  indexOfGoneConformance(name, openPair);
  indexOfOutputsConformance(name, openPair);
  indexOfBatchesAgainConformance(name, openPair);

  describe(`${name} as an index`, () => {
    let pair: IndexPair;
    let index: Index;
    let runs = 0;
    beforeEach(async () => {
      pair = await openPair();
      index = pair.one;
    });
    afterEach(() => pair.close());

    const begin = (of = index): Promise<Run> => {
      const run = `${(++runs).toString(16).padStart(4, '0')}abcd`;
      return of.begin({ run, command: 'process', inputs: ['photos'], cwd: '/', options: batchOptions() });
    };
    const settled = (over: Partial<Settlement> & Pick<Settlement, 'state'>): Settlement => ({
      made: [],
      skipped: [],
      outputs: [],
      ...over,
    });
    const takeOne = async (run: Run, of = index) => (await of.take(run, 1, Date.now()))[0]!;

    it('keeps the total equal to the sum over the states during the whole life of a batch', async () => {
      const run = await begin();
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
      const run = await begin();
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
      const run = await begin();
      expect(await index.add(run, [newJob('a')], NOTHING)).toBe(1);
      expect(await index.add(run, [newJob('a'), newJob('b')], NOTHING)).toBe(1);
      expect((await index.batch(run.batch)).counts.pending).toBe(2);
    });

    it('adds a source once that is given twice in one call', async () => {
      const run = await begin();
      expect(await index.add(run, [newJob('a'), newJob('b'), newJob('a')], NOTHING)).toBe(2);
      expect((await index.batch(run.batch)).counts.pending).toBe(2);
    });

    it('hands out the largest job of those added together first, whichever has the plain names', async () => {
      const run = await begin();
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
      const run = await begin();
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
      const run = await begin();
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

    it('reserves the plain names permanently for the first source, and the next names for a later source', async () => {
      const candidates = [['/out/x.webp'], ['/out/x~1.webp']];
      const run = await begin();
      await index.add(run, [newJob('x.jpg', { candidates }), newJob('x.png', { candidates })], NOTHING);
      expect((await index.take(run, 9, Date.now())).map(({ naming }) => naming)).toEqual([0, 1]);
      await index.end(run, 'interrupted');
      const again = await begin(pair.other);
      await pair.other.add(
        again,
        [newJob('x.png', { candidates }), newJob('x.jpg', { candidates })],
        NOTHING,
      );
      expect((await pair.other.take(again, 9, Date.now())).map(({ naming }) => naming)).toEqual([1, 0]);
    });

    it('treats names as equal that differ only by case or Unicode form', async () => {
      const run = await begin();
      const jobs = ['/out/Straße é.webp', '/out/STRASSE e\u0301.webp'].map((path, i) =>
        newJob(`${i}`, { candidates: [[path], [`/out/${i}.webp`]] }),
      );
      await index.add(run, jobs, NOTHING);
      expect((await index.take(run, 9, Date.now())).map(({ naming }) => naming)).toEqual([0, 1]);
    });

    it('reports that every possible name of a job is taken', async () => {
      const run = await begin();
      const candidates = [['/out/x.webp']];
      await index.add(run, [newJob('a', { candidates }), newJob('b', { candidates })], NOTHING);
      expect((await index.take(run, 9, Date.now())).map(({ naming }) => naming)).toEqual([0, 1]);
    });

    it('lets one job at a time render the same bytes, across processes', async () => {
      const run = await begin();
      const otherRun = await begin(pair.other);
      await index.add(run, [newJob('a'), newJob('b')], NOTHING);
      await pair.other.add(otherRun, [newJob('a')], NOTHING);
      const [a, b] = await index.take(run, 2, Date.now());
      const theirs = await takeOne(otherRun, pair.other);
      expect(await index.claim(run, a!, sha('x'))).toBe(true);
      expect(await index.claim(run, a!, sha('x'))).toBe(true);
      expect(await index.claim(run, b!, sha('x'))).toBe(false);
      expect(await pair.other.claim(otherRun, theirs, sha('x'))).toBe(false);
      await index.settle(run, a!, settled({ state: 'completed', source: sourceRecord('/photos/a') }));
      expect(await pair.other.claim(otherRun, theirs, sha('x'))).toBe(true);
    });

    it('records outputs only under the name of their owner', async () => {
      const run = await begin();
      await index.add(run, [newJob('a'), newJob('b')], NOTHING);
      const [a, b] = await index.take(run, 2, Date.now());
      const source = sourceRecord('/photos/a');
      const made = outputRecord('/out/a_small.webp', '/photos/a');
      await index.settle(run, a!, settled({ state: 'completed', source, made: [made] }));
      const stolen = outputRecord('/out/a_small.webp', '/photos/b');
      const theft = settled({ state: 'completed', source: sourceRecord('/photos/b'), made: [stolen] });
      await expect(index.settle(run, b!, theft)).rejects.toMatchObject({ code: 'output_exists' });
      expect((await index.batch(run.batch)).counts).toMatchObject({ processing: 1, completed: 1 });
      const lookup = await pair.other.lookup(
        ['/photos/a', '/photos/none'],
        ['/OUT/A_small.webp', '/out/none'],
      );
      expect(lookup.source('/photos/a')).toEqual(source);
      expect(lookup.source('/photos/none')).toBeUndefined();
      expect(lookup.output('/OUT/A_small.webp')).toEqual(made);
      expect(lookup.output('/out/none')).toBeUndefined();
      expect(await pair.other.made(made.digest, [made.settings, 'other'])).toEqual([made]);
    });

    it('replaces no settings digests that it recorded itself', async () => {
      const run = await begin();
      await index.add(run, [newJob('/photos/a')], NOTHING);
      const made = outputRecord('/out/a_small.webp', '/photos/a');
      const source = sourceRecord('/photos/a');
      await index.settle(run, await takeOne(run), settled({ state: 'completed', source, made: [made] }));
      await index.renameSettings([{ from: made.settings, to: 'other' }]);
      await index.renameSettings([]);
      expect((await index.lookup([], [made.path])).output(made.path)).toEqual(made);
    });

    it('adds ctimes only to records without one', async () => {
      const records = [
        sourceRecord('/photos/a', { ctime: null }),
        sourceRecord('/photos/b', { ctime: '5' }),
        sourceRecord('/photos/c', { ctime: null }),
      ] as const;
      const run = await begin();
      for (const source of records) {
        await index.add(run, [newJob(source.path, { source: source.path })], NOTHING);
        await index.settle(run, await takeOne(run), settled({ state: 'completed', source }));
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
      const run = await begin();
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

    it('counts an unchanged job without keeping a row of it', async () => {
      const run = await begin();
      await index.add(run, [newJob('a')], NOTHING);
      await index.settle(
        run,
        await takeOne(run),
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

    it('does not hand out a retried job before its time', async () => {
      const run = await begin();
      await index.add(run, [newJob('a')], NOTHING);
      await index.giveBack(await takeOne(run), 'retrying', Date.now() + 60_000);
      expect(await index.take(run, 1, Date.now())).toEqual([]);
    });

    it('does not count an attempt that was returned as pending', async () => {
      const run = await begin();
      await index.add(run, [newJob('a')], NOTHING);
      await index.giveBack(await takeOne(run), 'pending');
      const again = await takeOne(run);
      expect(again.attempts).toBe(0);
      await index.giveBack(again, 'retrying', 0);
      expect((await takeOne(run)).attempts).toBe(1);
    });

    it('passes the names of a removed source to a new source, with their records', async () => {
      const candidates = [['/out/x.webp'], ['/out/x~1.webp']];
      const run = await begin();
      await index.add(run, [newJob('old/x.png', { candidates })], NOTHING);
      const made = outputRecord('/out/x.webp', '/photos/old/x.png');
      await index.settle(run, await takeOne(run), settled({ state: 'completed', made: [made] }));
      const gone = ['/photos/old/x.png'];
      await index.add(run, [newJob('new/x.jpg', { candidates, gone })], NOTHING);
      expect((await takeOne(run)).naming).toBe(0);
      const lookup = await index.lookup([], ['/out/x.webp', '/out/x~1.webp']);
      expect(lookup.output('/out/x.webp')).toEqual({ ...made, source: '/photos/new/x.jpg' });
      expect(lookup.output('/out/x~1.webp')).toBeUndefined();
      expect(await index.ownedBy('/photos/old/x.png')).toEqual([]);
    });

    it('keeps a source’s names, even if better names are free', async () => {
      const candidates = [['/out/x.webp'], ['/out/x~1.webp']];
      const run = await begin();
      await index.add(run, [newJob('x.jpg', { candidates, kept: 1 })], NOTHING);
      expect((await takeOne(run)).naming).toBe(1);
      expect((await index.lookup([], ['/out/x.webp'])).output('/out/x.webp')).toBeUndefined();
    });

    it('gives the first free names to a source whose own names are taken', async () => {
      const candidates = [['/out/x.webp'], ['/out/x~1.webp']];
      const run = await begin();
      await index.add(run, [newJob('other', { candidates: [['/out/x~1.webp']] })], NOTHING);
      await index.add(run, [newJob('x.jpg', { candidates, kept: 1 })], NOTHING);
      const jobs = await index.take(run, 2, Date.now());
      expect(jobs.map(({ source, naming }) => [source, naming])).toEqual([
        ['/photos/other', 0],
        ['/photos/x.jpg', 0],
      ]);
    });

    it('passes on names only after the removed source is no longer in work', async () => {
      const candidates = [['/out/x.webp'], ['/out/x~1.webp']];
      const run = await begin();
      await index.add(run, [newJob('x.png', { candidates })], NOTHING);
      const old = await takeOne(run);
      const heir = newJob('x.jpg', { candidates, gone: ['/photos/x.png'] });
      expect(await index.renew(run, [heir])).toEqual({ begun: 0, inWork: ['/photos/x.jpg'] });
      await index.withdraw(old);
      expect(await index.renew(run, [heir])).toEqual({ begun: 1, inWork: [] });
      expect((await takeOne(run)).naming).toBe(0);
    });

    it('forgets the names that a source gives up at the end of its job', async () => {
      const run = await begin();
      await index.add(run, [newJob('x.jpg', { candidates: [['/out/x.webp']] })], NOTHING);
      const job = await takeOne(run);
      const made = [
        outputRecord('/out/x.webp', '/photos/x.jpg'),
        outputRecord('/out/x~1.webp', '/photos/x.jpg'),
      ];
      await index.settle(run, job, settled({ state: 'completed', made, givenUp: ['/out/x~1.webp'] }));
      expect((await index.ownedBy('/photos/x.jpg')).map(({ path }) => path)).toEqual(['/out/x.webp']);
    });

    it('returns the newest outputs of the same bytes too, even after many old ones', async () => {
      const run = await begin();
      const names = Array.from({ length: 20 }, (_, i) => `${i}`);
      await index.add(
        run,
        names.map((one) => newJob(one)),
        NOTHING,
      );
      for (const job of await index.take(run, 20, Date.now())) {
        const made = [outputRecord(`/out/${job.relative}_small.webp`, job.source, { digest: sha('x') })];
        await index.settle(run, job, settled({ state: 'completed', made }));
      }
      const sources = (await index.made(sha('x'), ['aa'])).map(({ source }) => source);
      expect(sources).toEqual(expect.arrayContaining(['/photos/0', '/photos/19']));
      expect(new Set(sources).size).toBe(sources.length);
      expect(sources[0]).toBe('/photos/0');
    });

    it('finds skipped duplicates by their bytes', async () => {
      const run = await begin();
      await index.add(run, [newJob('b')], NOTHING);
      const held = {
        path: '/out/b_small.webp',
        source: '/photos/b',
        checksum: null,
        presets: null,
        variant: 'small',
      };
      const skipped = { ...held, settings: 'aa', digest: sha('x') };
      await index.settle(
        run,
        await takeOne(run),
        settled({ state: 'duplicate', duplicateOf: '/photos/a', skipped: [skipped] }),
      );
      expect(await index.skipped(sha('x'), ['aa'])).toMatchObject([skipped]);
      expect(await index.made(sha('x'), ['aa'])).toEqual([]);
    });

    it('lists batches newest first and finds one by any unique beginning of its id', async () => {
      const ids = [];
      for (let i = 0; i < 3; i++) ids.push((await begin()).batch);
      expect((await index.batches(2)).length).toBe(2);
      expect((await index.batches(9)).map(({ id }) => id).sort()).toEqual([...ids].sort());
      expect((await index.batch(ids[0]!.slice(0, 7))).id).toBe(ids[0]);
      await expect(index.batch('zz')).rejects.toMatchObject({ code: 'unknown_batch' });
      await expect(index.batch('')).rejects.toMatchObject({ code: 'unknown_batch' });
      await expect(index.batch("' OR 1=1")).rejects.toMatchObject({ code: 'unknown_batch' });
    });

    it('does not report a live run as dead', async () => {
      const run = await begin();
      await index.add(run, [newJob('a')], NOTHING);
      await takeOne(run);
      expect(await pair.other.dead()).toEqual([]);
      expect((await pair.other.batch(run.batch)).state).toBe('running');
    });

    it('frees the jobs of a dead run once, and returns the folders of its staged files', async () => {
      const run = await begin();
      await index.add(run, [newJob('a'), newJob('b')], NOTHING);
      await takeOne(run);
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

    it('changes nothing if a repeatable step is repeated', async () => {
      const run = await begin();
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
      await twice(() => index.distrust(made));
      await twice(() => index.forget('/photos/a', [made[0]!.path], [], true));
      await twice(() => index.end(run, 'finished'));
      await twice(() => index.recover([{ ...run, outputs: [] }]));
      expect(await index.batch(run.batch)).toMatchObject({
        state: 'finished',
        passedOver: 3,
        counts: { completed: 1, unchanged: 1 },
      });
    });

    it('counts the sources of a batch with several pages that have a still output, by format', async () => {
      const run = await begin();
      const names = ['a', 'moving', 'b', 'c', 'still', 'bad'];
      await index.add(
        run,
        names.map((name) => newJob(name)),
        NOTHING,
      );
      const outputsOf = (name: string) => {
        const still = {
          variant: 'v',
          format: 'webp',
          path: `/out/${name}`,
          width: 1,
          height: 1,
          bytes: 1,
        } as const;
        const moving = { ...still, pages: 4 };
        // All outputs of one source are animations.
        return name === 'moving' ? [moving] : [still, moving];
      };
      const pictures = {
        a: ['gif', 4],
        b: ['gif', 2],
        c: ['tiff', 3],
        moving: ['gif', 4],
        still: ['jpeg', 1],
      } as const;
      for (const job of await index.take(run, 9, Date.now())) {
        const [format, pages] = pictures[job.relative as keyof typeof pictures] ?? ['gif', 9];
        const source = sourceRecord(job.source, { format, pages });
        const error = { code: 'io', message: 'EIO' };
        const isBad = job.relative === 'bad';
        const end = isBad
          ? settled({ state: 'failed', source, error })
          : settled({ state: 'completed', source, outputs: outputsOf(job.relative) });
        await index.settle(run, job, end);
      }
      expect(await index.severalPages(run.batch)).toEqual(
        new Map([
          ['gif', 2],
          ['tiff', 1],
        ]),
      );
      const records: unknown[] = [];
      for await (const { format, pages } of index.jobs(run.batch, ['completed']))
        records.push([format, pages]);
      expect(records).toEqual(Object.values(pictures));
    });

    it('prunes old history and never the outputs', async () => {
      const run = await begin();
      await index.add(run, [newJob('a')], NOTHING);
      const made = outputRecord('/out/a_small.webp', '/photos/a');
      await index.settle(run, await takeOne(run), settled({ state: 'completed', made: [made] }));
      await index.end(run, 'finished');
      const live = await begin();
      await index.prune(Date.now() + 1_000);
      expect((await index.batches(9)).map(({ id }) => id)).toEqual([live.batch]);
      expect((await index.lookup([], [made.path])).output(made.path)).toEqual(made);
    });
  });
}
