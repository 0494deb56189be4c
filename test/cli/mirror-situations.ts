import { rmSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import { beforeEach, describe, expect, it } from 'vitest';
import { keep } from '../../src/adapters/sqlite/binding.ts';
import { openPlace, type Place } from './imgtool.ts';
import { assertInvariants, sourcesOf } from './invariants.ts';
import {
  AB,
  changesOf,
  listing,
  made,
  NOTHING,
  outputsOf,
  putPictures,
  removedIn,
  warningsIn,
} from './mirroring.ts';

/** What happened since the first batch over `photos` with the variants a and b, and what a mirror then removes. */
export interface Situation {
  /** What the user did before the run with `--mirror`. */
  readonly before: (place: Place) => unknown;
  /** The batch. The default has the variants and the folder of the first batch. */
  readonly run?: readonly string[];
  /** All files that the run removes, adds and changes. */
  readonly removed: readonly string[];
  readonly added?: readonly string[];
  readonly changed?: readonly string[];
  readonly exit?: number;
  /** Warnings about what stays. */
  readonly warning?: RegExp;
  /** Files that the user put into the output folder, or changed there. */
  readonly foreign?: readonly string[];
}

export const ALL = ['a', 'b', 'c', 'd', 'sub/e', 'sub/f'];
export const without = (...names: string[]) => ALL.filter((name) => !names.includes(name));
export const remove = (place: Place, ...paths: string[]) => {
  for (const path of paths) rmSync(place.at(path), { recursive: true });
};
/** Older versions did not record which presets ask for an output. */
export function makePresetsUnknown({ index }: Place): void {
  const db = keep(new Sqlite(index));
  db.exec('UPDATE outputs SET presets = NULL');
  db.close();
}
export const presets = (one: string, two: string) =>
  `presets:\n  one: ['${one}']\n  two: ['${two}', 'own:w=30']\n`;

/** Checks that a mirror, and its dry run, remove exactly what the rules say in these situations. */
export function checkSituations(about: string, situations: Readonly<Record<string, Situation>>): void {
  describe(`process --mirror, and its dry run, remove exactly what the rules say of ${about}`, () => {
    let place: Place;
    beforeEach(async () => {
      place = openPlace();
      await putPictures(place);
      await made(place, ...AB, 'photos');
    });

    it.each(Object.entries(situations))('with %s', async (_, situation) => {
      const {
        run = [...AB, 'photos'],
        removed,
        added = [],
        changed = [],
        exit = 0,
        foreign = [],
      } = situation;
      await situation.before(place);
      const sources = sourcesOf(place, 'photos');
      const before = listing(place);
      const batch = ['process', '--json', '--out', 'out', ...(run[0] === '--mirror=all' ? [] : ['--mirror'])];
      const dry = await place.run([...batch, ...run, '--dry-run']);
      expect(dry.code, dry.stdout + dry.stderr).toBe(exit);
      expect(changesOf(before, listing(place))).toEqual(NOTHING);
      expect(removedIn(dry, true)).toEqual(removed);

      const outcome = await place.run([...batch, ...run]);
      expect(outcome.code, outcome.stdout + outcome.stderr).toBe(exit);
      const after = listing(place);
      expect(changesOf(before, after)).toEqual({ removed, added, changed });
      expect(removedIn(outcome)).toEqual(removed);
      const { warning } = situation;
      const expected = warning === undefined ? [] : [expect.stringMatching(warning)];
      expect([warningsIn(dry), warningsIn(outcome)]).toEqual([expected, expected]);

      // A second run finds nothing more to remove.
      const again = await place.run([...batch, ...run]);
      expect([again.code, removedIn(again)]).toEqual([exit, []]);
      expect(changesOf(after, listing(place))).toEqual(NOTHING);
      await assertInvariants(place, {
        sources,
        outcome: again,
        foreign,
        gone: [...goneFrom(before, after), ...foreign],
      });
    });

    /** Outputs of the first batches that are not there at the end. */
    function goneFrom(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
      const all = [...before.keys(), ...outputsOf([...ALL, 'z'], 'abc'), 'out/a/a.webp', 'out/b/a.webp'];
      return all.filter((path) => !after.has(path));
    }
  });
}
