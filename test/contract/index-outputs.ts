import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Output, OutputRecord } from '../../src/model.ts';
import type { Index, NewJob, Run, Settlement } from '../../src/ports.ts';
import { batchOptions, newJob, outputRecord, sha, sourceRecord } from '../records.ts';
import { type IndexPair, NOTHING } from './index-steps.ts';

/** The contract of every index for lists of outputs and of the jobs that made them. */
export function indexOfOutputsConformance(name: string, openPair: () => Promise<IndexPair>): void {
  describe(`${name} as the index of outputs`, () => {
    let pair: IndexPair;
    let index: Index;
    let run: Run;
    let runs = 0;
    beforeEach(async () => {
      pair = await openPair();
      index = pair.one;
      run = await begin();
    });
    afterEach(async () => {
      vi.useRealTimers();
      await pair.close();
    });

    const begin = () => {
      const batch = { command: 'process', inputs: ['photos'], cwd: '/', options: batchOptions() } as const;
      return index.begin({ run: `${(++runs).toString(16).padStart(4, '0')}abcd`, ...batch });
    };
    const settled = (state: Settlement['state'], over: Partial<Settlement> = {}): Settlement => ({
      ...{ state, made: [], skipped: [], outputs: [] },
      ...over,
    });
    /** Adds one job and ends it in this state. */
    const end = async (job: NewJob, settlement: Settlement, of = run) => {
      await index.add(of, [job], NOTHING);
      const [taken] = await index.take(of, 1, Date.now());
      await index.settle(of, taken!, settlement);
    };
    const make = async (...made: OutputRecord[]) => {
      for (const [i, one] of made.entries()) {
        const candidates = [[one.path]];
        const job = newJob(`${one.source}-${i}`, { source: one.source, candidates });
        await end(job, settled('completed', { made: [one] }), await begin());
      }
    };
    const recordAt = async (path: string) => (await pair.other.lookup([], [path])).output(path);
    const outputs = async () => {
      const all: OutputRecord[] = [];
      for await (const record of pair.other.outputs()) all.push(record);
      return all;
    };

    describe('asked for many paths at the same time', () => {
      const number = (i: number) => String(i).padStart(4, '0');
      /** One source with this many outputs. Every second output has a name with a capital letter. */
      const makeMany = async (many: number, folder = '/out') => {
        const paths = Array.from({ length: many }, (_, i) => `${folder}/${i % 2 ? 'X' : 'x'}${number(i)}`);
        const made = paths.map((path) => outputRecord(path, '/photos/a'));
        await end(newJob('a', { candidates: [paths] }), settled('completed', { made }), await begin());
        return made;
      };

      it('returns each output, adjacent or far apart, and no others', async () => {
        const made = await makeMany(600);
        for (const asked of [
          made,
          made.slice(100, 200),
          made.filter((_, i) => i % 9 === 0),
          [...made].reverse(),
        ]) {
          const paths = asked.map(({ path }) => path);
          const lookup = await pair.other.lookup([], [...paths, '/out/none', '/elsewhere']);
          expect(paths.map((path) => lookup.output(path))).toEqual(asked);
          expect([lookup.output('/out/none'), lookup.output('/elsewhere')]).toEqual([undefined, undefined]);
        }
      });

      it('returns outputs whose names sort differently in UTF-16', async () => {
        const made = await makeMany(40, '/out/\u{1f600}');
        const paths = ['/out/\uff41', ...made.map(({ path }) => path)];
        const lookup = await pair.other.lookup([], paths);
        expect(paths.map((path) => lookup.output(path))).toEqual([undefined, ...made]);
      });

      it('returns sources, and outputs between the sources', async () => {
        const sources = Array.from({ length: 60 }, (_, i) => sourceRecord(`/photos/${number(i)}`));
        for (const source of sources.slice(1)) {
          await end(
            newJob(source.path, { source: source.path }),
            settled('completed', { source }),
            await begin(),
          );
        }
        const paths = [...sources.map(({ path }) => path), '/photos/0030.webp'];
        const none = await pair.other.lookup(paths, []);
        expect(paths.map((path) => none.source(path))).toEqual([undefined, ...sources.slice(1), undefined]);
        expect(paths.map((path) => none.output(path))).toEqual(paths.map(() => undefined));
        const among = outputRecord('/photos/0030.webp', '/photos/0030');
        await make(among);
        expect((await pair.other.lookup(paths, [])).output(among.path)).toEqual(among);
      });
    });

    describe('asked for all outputs', () => {
      it('returns existing outputs, oldest first, and no reserved names', async () => {
        const made = ['z', 'a', 'm'].map((one) => outputRecord(`/out/${one}.webp`, `/photos/${one}`));
        await make(...made);
        await index.add(run, [newJob('held')], NOTHING);
        expect(await outputs()).toEqual(made);
      });

      it('returns each of thousands once, even while outputs are added and forgotten', async () => {
        const all = Array.from({ length: 2_500 }, (_, i) => `/out/${String(i).padStart(5, '0')}`);
        const candidates = [all];
        const made = all.map((path) => outputRecord(path, '/photos/a'));
        await end(newJob('a', { candidates }), settled('completed', { made }));
        const seen: string[] = [];
        for await (const { path } of index.outputs()) {
          seen.push(path);
          if (seen.length === 700) await index.forget('/photos/a', all.slice(0, 700), [], true);
          if (seen.length === 800) await make(outputRecord('/out/new', '/photos/new'));
        }
        expect(seen).toEqual([...all, '/out/new']);
      });

      it('returns none if there are none', async () => {
        expect(await outputs()).toEqual([]);
      });
    });

    describe('marking an output as wrong', () => {
      it('keeps its record, with values that no file can have', async () => {
        const one = outputRecord('/out/a.webp', '/photos/a');
        await make(one);
        await index.distrust([one], 'damaged');
        const { mtime, checksum, ...rest } = (await recordAt('/OUT/a.webp')) as OutputRecord;
        expect({ ...one, ...rest }).toEqual(one);
        expect([mtime, checksum]).toEqual([`!${one.mtime}`, '']);
        expect(await outputs()).toHaveLength(1);
        // The first mark stays.
        const marked = (await recordAt(one.path)) as OutputRecord;
        for (const again of [one, marked]) await index.distrust([again], 'changed');
        expect(await recordAt(one.path)).toEqual(marked);
      });

      it('leaves an output that was made again in the meantime', async () => {
        const one = outputRecord('/out/a.webp', '/photos/a');
        const later = { ...one, mtime: `${one.mtime}1`, ino: '99' };
        await make(later);
        await index.distrust([one], 'damaged');
        expect(await outputs()).toEqual([later]);
      });

      it('marks all links to the same file too, but no copies and no other settings or bytes', async () => {
        const bytes = { digest: sha('picture'), checksum: sha('webp'), ino: '8' };
        const [one, link, copy, other, renewed] = [
          outputRecord('/out/a.webp', '/photos/a', bytes),
          outputRecord('/out/b.webp', '/photos/b', bytes),
          outputRecord('/out/c.webp', '/photos/c', { ...bytes, ino: '9' }),
          outputRecord('/out/d.webp', '/photos/d', { ...bytes, settings: 'bb' }),
          outputRecord('/out/e.webp', '/photos/e', { ...bytes, checksum: sha('later') }),
        ] as const;
        await make(one, link, copy, other, renewed);
        await index.distrust([one], 'damaged');
        const wrong = (await outputs()).filter(({ checksum }) => checksum === '').map(({ path }) => path);
        expect(wrong).toEqual([one.path, link.path]);
        for (const same of [copy, other, renewed]) expect(await recordAt(same.path)).toEqual(same);
      });

      it('accepts an unknown output, and an empty list', async () => {
        await index.distrust([outputRecord('/out/none.webp', '/photos/none')], 'damaged');
        await index.distrust([], 'changed');
        expect(await outputs()).toEqual([]);
      });

      it('ends when the output is rendered again', async () => {
        const one = outputRecord('/out/a.webp', '/photos/a');
        await make(one);
        await index.distrust([one], 'damaged');
        await make(one);
        expect(await outputs()).toEqual([one]);
      });
    });

    describe('asked for an output by its bytes', () => {
      const bytes = { checksum: sha('webp') };

      it('returns the output with the same file name, in any folder', async () => {
        const [one, other] = [
          outputRecord('/out/a.webp', '/photos/a', bytes),
          outputRecord('/elsewhere/deep/B.webp', '/photos/b', bytes),
        ] as const;
        await make(one, other);
        expect(await pair.other.withChecksum(bytes.checksum, 'a.webp')).toEqual(one);
        expect(await pair.other.withChecksum(bytes.checksum, 'b.WEBP')).toEqual(other);
      });

      it('returns none with another name or other bytes, and none that is marked as wrong', async () => {
        const one = outputRecord('/out/a.webp', '/photos/a', bytes);
        await make(one);
        const alike = `${bytes.checksum.slice(0, 60)}0000`;
        expect(await index.withChecksum(alike, 'a.webp')).toBeUndefined();
        for (const name of ['b.webp', '.webp', 'aa.webp', 'ut/a.webp'])
          expect(await index.withChecksum(bytes.checksum, name)).toBeUndefined();
        await index.distrust([one], 'damaged');
        expect(await index.withChecksum(bytes.checksum, 'a.webp')).toBeUndefined();
      });

      it('finds one among many with the same bytes', async () => {
        const paths = Array.from({ length: 300 }, (_, i) => `/out/${i}.webp`);
        const made = paths.map((path) => outputRecord(path, '/photos/a', bytes));
        await end(newJob('a', { candidates: [paths] }), settled('completed', { made }));
        expect(await index.withChecksum(bytes.checksum, '217.webp')).toEqual(made[217]);
      });
    });

    describe('asked for the jobs that made the outputs of sources', () => {
      const output: Output = {
        ...{ variant: 'small', format: 'webp', path: '/out/a_small.webp' },
        ...{ width: 100, height: 75, bytes: 300 },
      };

      it('returns the jobs with outputs, newest first, with their sources', async () => {
        vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 1_000 });
        const later = await begin();
        vi.useRealTimers();
        const job = newJob('a', { given: './photos/a', relative: 'deep/a' });
        await end(job, settled('duplicate', { outputs: [output], duplicateOf: '/photos/b' }), later);
        await end(job, settled('completed', { outputs: [output] }));
        const { source, given, relative } = job;
        const maker = { source, given, relative, outputs: [output] };
        expect(await pair.other.makers(['/photos/none', '/photos/a'])).toEqual([
          { ...maker, batch: later.batch },
          { ...maker, batch: run.batch },
        ]);
      });

      it('returns no jobs of other sources, and no failed or unfinished jobs', async () => {
        await end(newJob('b'), settled('completed', { outputs: [output] }));
        await end(newJob('a'), settled('failed', { error: { code: 'corrupt', message: 'torn' } }));
        await index.add(await begin(), [newJob('a')], NOTHING);
        expect(await index.makers(['/photos/a'])).toEqual([]);
        expect(await index.makers([])).toEqual([]);
      });

      it('accepts names with special characters', async () => {
        const odd = ["it's", '"', '\\', 'a\nb', '%', '\u202e', ']'];
        for (const one of odd) await end(newJob(one), settled('completed', { outputs: [output] }));
        const found = await index.makers(odd.map((one) => `/photos/${one}`));
        expect(found.map(({ source }) => source).sort()).toEqual(odd.map((one) => `/photos/${one}`).sort());
      });
    });
  });
}
