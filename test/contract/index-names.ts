import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Index } from '../../src/ports.ts';
import { newJob, outputRecord, sha, sourceRecord } from '../records.ts';
import { begin, type IndexPair, NOTHING, settled, takeOne } from './index-steps.ts';

/** The contract of every index for the names of outputs. */
export function indexOfNamesConformance(name: string, openPair: () => Promise<IndexPair>): void {
  describe(`${name} as the index of names`, () => {
    let pair: IndexPair;
    let index: Index;
    beforeEach(async () => {
      pair = await openPair();
      index = pair.one;
    });
    afterEach(() => pair.close());

    it('reserves the plain names permanently for the first source, and the next names for a later source', async () => {
      const candidates = [['/out/x.webp'], ['/out/x~1.webp']];
      const run = await begin(index);
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
      const run = await begin(index);
      const jobs = ['/out/Straße é.webp', '/out/STRASSE e\u0301.webp'].map((path, i) =>
        newJob(`${i}`, { candidates: [[path], [`/out/${i}.webp`]] }),
      );
      await index.add(run, jobs, NOTHING);
      expect((await index.take(run, 9, Date.now())).map(({ naming }) => naming)).toEqual([0, 1]);
    });

    it('reports that every possible name of a job is taken', async () => {
      const run = await begin(index);
      const candidates = [['/out/x.webp']];
      await index.add(run, [newJob('a', { candidates }), newJob('b', { candidates })], NOTHING);
      expect((await index.take(run, 9, Date.now())).map(({ naming }) => naming)).toEqual([0, 1]);
    });

    it('records outputs only under the name of their owner', async () => {
      const run = await begin(index);
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
      const run = await begin(index);
      await index.add(run, [newJob('/photos/a')], NOTHING);
      const made = outputRecord('/out/a_small.webp', '/photos/a');
      const source = sourceRecord('/photos/a');
      await index.settle(
        run,
        await takeOne(index, run),
        settled({ state: 'completed', source, made: [made] }),
      );
      await index.renameSettings([{ from: made.settings, to: 'other' }]);
      await index.renameSettings([]);
      expect((await index.lookup([], [made.path])).output(made.path)).toEqual(made);
    });

    it('passes the names of a removed source to a new source, with their records', async () => {
      const candidates = [['/out/x.webp'], ['/out/x~1.webp']];
      const run = await begin(index);
      await index.add(run, [newJob('old/x.png', { candidates })], NOTHING);
      const made = outputRecord('/out/x.webp', '/photos/old/x.png');
      await index.settle(run, await takeOne(index, run), settled({ state: 'completed', made: [made] }));
      const gone = ['/photos/old/x.png'];
      await index.add(run, [newJob('new/x.jpg', { candidates, gone })], NOTHING);
      expect((await takeOne(index, run)).naming).toBe(0);
      const lookup = await index.lookup([], ['/out/x.webp', '/out/x~1.webp']);
      expect(lookup.output('/out/x.webp')).toEqual({ ...made, source: '/photos/new/x.jpg' });
      expect(lookup.output('/out/x~1.webp')).toBeUndefined();
      expect(await index.ownedBy('/photos/old/x.png')).toEqual([]);
    });

    it('keeps a source’s names, even if better names are free', async () => {
      const candidates = [['/out/x.webp'], ['/out/x~1.webp']];
      const run = await begin(index);
      await index.add(run, [newJob('x.jpg', { candidates, kept: 1 })], NOTHING);
      expect((await takeOne(index, run)).naming).toBe(1);
      expect((await index.lookup([], ['/out/x.webp'])).output('/out/x.webp')).toBeUndefined();
    });

    it('gives the first free names to a source whose own names are taken', async () => {
      const candidates = [['/out/x.webp'], ['/out/x~1.webp']];
      const run = await begin(index);
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
      const run = await begin(index);
      await index.add(run, [newJob('x.png', { candidates })], NOTHING);
      const old = await takeOne(index, run);
      const heir = newJob('x.jpg', { candidates, gone: ['/photos/x.png'] });
      expect(await index.renew(run, [heir])).toEqual({ begun: 0, inWork: ['/photos/x.jpg'] });
      await index.withdraw(old);
      expect(await index.renew(run, [heir])).toEqual({ begun: 1, inWork: [] });
      expect((await takeOne(index, run)).naming).toBe(0);
    });

    it('forgets the names that a source gives up at the end of its job', async () => {
      const run = await begin(index);
      await index.add(run, [newJob('x.jpg', { candidates: [['/out/x.webp']] })], NOTHING);
      const job = await takeOne(index, run);
      const made = [
        outputRecord('/out/x.webp', '/photos/x.jpg'),
        outputRecord('/out/x~1.webp', '/photos/x.jpg'),
      ];
      await index.settle(run, job, settled({ state: 'completed', made, givenUp: ['/out/x~1.webp'] }));
      expect((await index.ownedBy('/photos/x.jpg')).map(({ path }) => path)).toEqual(['/out/x.webp']);
    });

    it('returns the newest outputs of the same bytes too, even after many old ones', async () => {
      const run = await begin(index);
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
      const run = await begin(index);
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
        await takeOne(index, run),
        settled({ state: 'duplicate', duplicateOf: '/photos/a', skipped: [skipped] }),
      );
      expect(await index.skipped(sha('x'), ['aa'])).toMatchObject([skipped]);
      expect(await index.made(sha('x'), ['aa'])).toEqual([]);
    });
  });
}
