import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Index, Run } from '../../src/ports.ts';
import { newJob, outputRecord, sha, sourceRecord } from '../records.ts';
import {
  begin,
  completeJob,
  countsIn,
  endJob,
  type IndexPair,
  settled,
  sourcesBelow,
} from './index-steps.ts';

/** The contract of every index for sources that are forgotten. */
export function indexOfForgettingConformance(name: string, openPair: () => Promise<IndexPair>): void {
  describe(`${name} as the index that forgets a source`, () => {
    let pair: IndexPair;
    let index: Index;
    let run: Run;
    beforeEach(async () => {
      pair = await openPair();
      index = pair.one;
      run = await begin(index);
    });
    afterEach(() => pair.close());

    it('keeps the record of a source that is not gone', async () => {
      await completeJob(index, run, 'a');
      await index.forget('/photos/a', ['/out/a_small.webp'], [], false);
      expect([await sourcesBelow(index, '/photos'), await index.ownedBy('/photos/a')]).toEqual([
        ['/photos/a'],
        [],
      ]);
    });

    it('removes the source and the given names, and no names of others', async () => {
      const candidates = [['/out/a.webp', '/out/a.avif', '/elsewhere/a.webp']];
      const made = outputRecord('/out/a.webp', '/photos/a');
      const source = sourceRecord('/photos/a');
      await endJob(
        index,
        run,
        newJob('a', { candidates }),
        settled({ state: 'completed', source, made: [made] }),
      );
      await completeJob(index, run, 'b');
      await index.forget(
        '/photos/a',
        ['/OUT/a.webp', '/out/a.avif', '/out/b_small.webp', '/out/none'],
        [],
        true,
      );
      expect(await sourcesBelow(index, '/photos')).toEqual(['/photos/b']);
      expect((await index.ownedBy('/photos/a')).map(({ path }) => path)).toEqual(['/elsewhere/a.webp']);
      expect(await index.ownedBy('/photos/b')).toHaveLength(1);
      expect(await index.made(made.digest, [made.settings])).toEqual([]);
      expect(await countsIn(pair.other, run)).toEqual({ completed: 2 });
    });

    it('records the outputs that other sources received from it', async () => {
      await completeJob(index, run, 'a');
      const held = {
        path: '/out/b_small.webp',
        source: '/photos/b',
        checksum: null,
        presets: null,
        variant: 'small',
      };
      const skipped = [{ ...held, settings: 'aa', digest: sha('/photos/a') }];
      await endJob(
        index,
        run,
        newJob('b'),
        settled({ state: 'duplicate', duplicateOf: '/photos/a', skipped }),
      );
      const given = outputRecord('/out/b_small.webp', '/photos/b', { digest: sha('/photos/a') });
      await index.forget('/photos/a', ['/out/a_small.webp'], [given], true);
      expect(await index.ownedBy('/photos/b')).toEqual([given]);
      expect(await index.skipped(given.digest, ['aa'])).toEqual([]);
      expect(await index.made(given.digest, ['aa'])).toEqual([given]);
    });

    it('forgets nothing if another source owns a transferred output', async () => {
      await completeJob(index, run, 'a');
      await completeJob(index, run, 'b');
      const stolen = outputRecord('/out/b_small.webp', '/photos/c');
      const theft = index.forget('/photos/a', ['/out/a_small.webp'], [stolen], true);
      await expect(theft).rejects.toMatchObject({ code: 'output_exists' });
      expect(await sourcesBelow(index, '/photos')).toEqual(['/photos/a', '/photos/b']);
      expect(await index.ownedBy('/photos/a')).toHaveLength(1);
    });

    it('accepts an unknown source, twice too', async () => {
      await index.forget('/photos/a', ['/out/a_small.webp'], [], true);
      await index.forget('/photos/a', [], [], true);
      expect(await sourcesBelow(index, '/photos')).toEqual([]);
    });
  });
}
