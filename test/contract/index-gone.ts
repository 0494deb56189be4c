import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Index, NewJob, Run, Settlement } from '../../src/ports.ts';
import { batchOptions, newJob, outputRecord, sourceRecord } from '../records.ts';
import { completeJob, endJob, type IndexPair, NOTHING, sourcesBelow } from './index-steps.ts';

/** The contract of every index for sources that can disappear. */
export function indexOfGoneConformance(name: string, openPair: () => Promise<IndexPair>): void {
  describe(`${name} as the index of sources that come and go`, () => {
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
    const end = (job: NewJob, settlement: Settlement) => endJob(index, run, job, settlement);
    const complete = (one: string) => completeJob(index, run, one);
    const below = (folder: string) => sourcesBelow(index, folder);
    /** Records sources without outputs. */
    const know = async (...paths: string[]) => {
      await index.add(
        run,
        paths.map((source) => newJob(source, { source })),
        NOTHING,
      );
      for (
        let jobs = await index.take(run, 500, Date.now());
        jobs.length > 0;
        jobs = await index.take(run, 500, Date.now())
      ) {
        for (const job of jobs) {
          await index.settle(run, job, settled('completed', { source: sourceRecord(job.source) }));
        }
      }
    };

    describe('the sources below a folder', () => {
      it('are listed in bytewise order, without sources outside of the folder', async () => {
        const inside = ['/a/B', '/a/a', '/a/a-b/x', '/a/a/x', '/a/ab', '/a/é', '/a/\u{1f600}'];
        await know(...inside.toReversed(), '/a-b/x', '/ab', '/a.jpg', '/A/x', '/a0', '/b/a/x', '/a');
        const byBytes = inside.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        expect(await below('/a')).toEqual(byBytes);
        expect(await below('/a/')).toEqual(byBytes);
        expect(await below('/a/a')).toEqual(['/a/a/x']);
        expect(await below('/none')).toEqual([]);
      });

      it('are all sources if the folder is the root of the disk', async () => {
        await know('/x', '/y/z');
        expect(await below('/')).toEqual(['/x', '/y/z']);
      });

      it('are found below names with special characters', async () => {
        const odd = ["it's", '100%', 'a_b', '*', '[Q=1]', 'a\nb', '"', '\\', '-', 'x;y', '\u202e'];
        for (const folder of odd) await know(`/p/${folder}/x.jpg`);
        for (const folder of odd) expect(await below(`/p/${folder}`)).toEqual([`/p/${folder}/x.jpg`]);
        expect(await below('/p')).toHaveLength(odd.length);
      });

      it('are all listed, even thousands of them while some are forgotten', async () => {
        const paths = Array.from({ length: 2_500 }, (_, i) => `/p/${String(i).padStart(5, '0')}`);
        await know(...paths);
        const seen: string[] = [];
        for await (const path of index.sourcesBelow('/p')) {
          seen.push(path);
          if (seen.length % 500 === 0) await index.forget(path, [], [], true);
        }
        expect(seen).toEqual(paths);
        expect(await below('/p')).toHaveLength(2_495);
        expect((await below('/p')).slice(498, 500)).toEqual(['/p/00498', '/p/00500']);
      });

      it('are all listed if they fill exactly one page', async () => {
        const paths = Array.from({ length: 1_000 }, (_, i) => `/p/${String(i).padStart(5, '0')}`);
        await know(...paths);
        expect(await below('/p')).toEqual(paths);
      });
    });

    describe('asked whether a file can be the output of a job', () => {
      it('confirms a name without an output while its job is in work', async () => {
        const path = '/out/a_small.webp';
        const isInWork = async () => (await pair.other.lookup([], ['/out/none', path])).isInWork(path);
        await index.add(run, [newJob('a')], NOTHING);
        expect(await isInWork()).toBe(false);
        const [job] = await index.take(run, 1, Date.now());
        expect(await isInWork()).toBe(true);
        expect((await index.lookup([], ['/out/none'])).isInWork('/out/none')).toBe(false);
        const made = [outputRecord(path, '/photos/a')];
        await index.settle(run, job!, settled('completed', { source: sourceRecord('/photos/a'), made }));
        expect(await isInWork()).toBe(false);
        await index.renew(run, [newJob('a')]);
        await index.take(run, 1, Date.now());
        expect(await isInWork()).toBe(false);
      });
    });

    describe('asked for the names of a source', () => {
      it('returns existing and reserved names, and no names of other sources', async () => {
        const candidates = [['/out/a.webp', '/out/a.avif']];
        const made = outputRecord('/out/a.webp', '/photos/a');
        await end(newJob('a', { candidates }), settled('completed', { made: [made] }));
        await complete('b');
        const owned = await index.ownedBy('/photos/a');
        expect(owned.toSorted((a, b) => (a.path < b.path ? -1 : 1))).toEqual([
          expect.objectContaining({ path: '/out/a.avif', source: '/photos/a', checksum: null, digest: null }),
          made,
        ]);
        expect(await index.ownedBy('/photos/none')).toEqual([]);
      });
    });

    describe('the outputs below a folder', () => {
      const paths = async (found: AsyncIterable<{ readonly path: string }>) => {
        const all: string[] = [];
        for await (const { path } of found) all.push(path);
        return all;
      };

      it('are listed by their sources, source by source, and by their own paths', async () => {
        for (const one of ['b', 'a/z', 'a/y', 'ab', 'A']) await complete(one);
        expect(await paths(index.outputsOfSources('/photos/a'))).toEqual([
          '/out/a/y_small.webp',
          '/out/a/z_small.webp',
        ]);
        const all = ['A', 'a/y', 'a/z', 'ab', 'b'].map((one) => `/out/${one}_small.webp`);
        expect(await paths(index.outputsOfSources('/photos'))).toEqual(all);
        expect((await paths(index.outputsBelow('/out/'))).toSorted()).toEqual(all.toSorted());
        expect(await paths(index.outputsBelow('/OUT/A'))).toEqual([
          '/out/a/y_small.webp',
          '/out/a/z_small.webp',
        ]);
        expect(await paths(index.outputsOfSources('/none'))).toEqual([]);
        expect(await paths(index.outputsBelow('/none'))).toEqual([]);
      });

      it('are all listed, also a source with more outputs than one page', async () => {
        const made = Array.from({ length: 1_500 }, (_, i) => outputRecord(`/out/${i}`, '/photos/a'));
        const source = sourceRecord('/photos/a');
        await end(
          newJob('a', { candidates: [made.map(({ path }) => path)] }),
          settled('completed', { source, made }),
        );
        await complete('b');
        expect(await paths(index.outputsOfSources('/photos'))).toHaveLength(1_501);
        expect(await paths(index.outputsBelow('/out'))).toHaveLength(1_501);
      });

      it('leave out names under which nothing is made', async () => {
        await index.add(run, [newJob('a')], NOTHING);
        expect(await paths(index.outputsOfSources('/photos'))).toEqual([]);
        expect(await paths(index.outputsBelow('/out'))).toEqual([]);
      });
    });

    describe('the presets that ask for an output', () => {
      const OUTPUT = '/out/a_small.webp';
      const asking = async () => (await pair.other.lookup([], [OUTPUT])).output(OUTPUT)?.presets;

      it('are those of all its records, and of those that ask later, each once', async () => {
        await complete('a');
        expect(await asking()).toBe(',test,');
        const own = [{ path: OUTPUT, source: '/photos/a', variant: 'small' }];
        for (const name of ['web', 'test', 'we', 'web']) await index.ask(name, own, true);
        expect(await asking()).toBe(',test,web,we,');
        await index.renew(run, [newJob('a')]);
        const [job] = await index.take(run, 1, Date.now());
        const made = [outputRecord(OUTPUT, '/photos/a', { presets: ',more,' })];
        await index.settle(run, job!, settled('completed', { source: sourceRecord('/photos/a'), made }));
        expect(await asking()).toBe(',test,web,we,more,');
        for (const name of ['web', 'none', 'web']) await index.ask(name, own, false);
        expect(await asking()).toBe(',test,we,more,');
      });

      it('are not changed for an output of another source', async () => {
        await complete('a');
        const foreign = [{ path: OUTPUT, source: '/photos/b', variant: 'other' }];
        await index.ask('web', foreign, true);
        await index.ask('test', foreign, false);
        expect(await asking()).toBe(',test,');
        expect((await index.lookup([], [OUTPUT])).output(OUTPUT)?.variant).toBe('small');
      });

      it('ask for it as the variant that was named last', async () => {
        await complete('a');
        const asked = { path: OUTPUT, source: '/photos/a', variant: 'hero' };
        for (let i = 0; i < 2; i++) await index.ask('test', [asked], true);
        await index.ask('web', [{ ...asked, variant: 'small' }], false);
        const record = (await pair.other.lookup([], [OUTPUT])).output(OUTPUT);
        expect([record?.variant, record?.presets]).toEqual(['hero', ',test,']);
      });
    });

    describe('sources that are noted as missing', () => {
      const noted = async () => [...(await pair.other.notedMissing('/photos'))];
      const orders = async () => {
        const all: number[] = [];
        for await (const { order } of index.outputsOfSources('/photos')) all.push(order);
        return all;
      };

      it('keep the first note, until they are found or recorded again', async () => {
        await complete('a');
        await complete('b');
        expect(await noted()).toEqual([]);
        const last = Math.max(...(await orders()));
        await index.noteMissing(['/photos/a', '/photos/b', '/photos/none']);
        await complete('c');
        await index.noteMissing(['/photos/a']);
        expect(await noted()).toEqual([
          ['/photos/a', last],
          ['/photos/b', last],
        ]);
        expect(Math.max(...(await orders()))).toBeGreaterThan(last);
        expect(await index.notedMissing('/elsewhere')).toEqual(new Map());
        for (let i = 0; i < 2; i++) await index.noteFound(['/photos/a', '/photos/none']);
        expect(await noted()).toEqual([['/photos/b', last]]);
        await index.renew(run, [newJob('b')]);
        const [job] = await index.take(run, 1, Date.now());
        await index.settle(run, job!, settled('completed', { source: sourceRecord('/photos/b') }));
        expect(await noted()).toEqual([]);
      });
    });
  });
}
