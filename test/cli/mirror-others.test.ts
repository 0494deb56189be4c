import { renameSync, rmSync, symlinkSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import { beforeEach, describe, expect, it } from 'vitest';
import { keep } from '../../src/adapters/sqlite/binding.ts';
import { finishedOf, openPlace, type Place } from './imgtool.ts';
import { assertInvariants, sourcesOf } from './invariants.ts';
import {
  A,
  AB,
  B,
  changesOf,
  listing,
  MIRROR,
  made,
  NOTHING,
  outputsOf,
  putPictures,
  removedIn,
  warningsIn,
} from './mirroring.ts';
import { picture, putOld } from './pictures.ts';

/** A mirror keeps files that other batches ask for, and files that are sources elsewhere. */

const NAMES = ['a', 'b', 'c', 'd', 'sub/e', 'sub/f'];

let place: Place;
beforeEach(async () => {
  place = openPlace();
  await putPictures(place);
});

/** Runs a mirror as a dry run and in earnest. Checks what it removes and warns of. */
async function mirror(args: readonly string[], removed: readonly string[], warnings: readonly unknown[]) {
  const sources = sourcesOf(place, 'photos');
  const before = listing(place);
  const dry = await place.run([...MIRROR, '--dry-run', ...args]);
  expect([removedIn(dry, true), warningsIn(dry)], dry.stderr).toEqual([removed, warnings]);
  expect(changesOf(before, listing(place))).toEqual(NOTHING);
  const outcome = await place.run([...MIRROR, ...args]);
  expect([outcome.code, removedIn(outcome), warningsIn(outcome)]).toEqual([0, removed, warnings]);
  const changes = changesOf(before, listing(place));
  expect([changes.removed, changes.changed]).toEqual([removed, []]);
  return { outcome, sources };
}

describe('the outputs of another --out stay, though the preset has the same name and other variants,', () => {
  it('if that folder is inside of --out', async () => {
    await made(place, '--out', 'out/thumbs', ...B, 'photos');
    await mirror([...A, 'photos'], [], []);
    // The batch that made them drops the variant: now nothing asks for them.
    const { outcome, sources } = await mirror(
      ['--out', 'out/thumbs', ...A, 'photos'],
      NAMES.map((name) => `out/thumbs/${name}_b.webp`),
      [],
    );
    const gone = NAMES.map((name) => `out/thumbs/${name}_b.webp`);
    await assertInvariants(place, { sources, outcome, gone });
  });

  it('if --out is inside of that folder', async () => {
    await made(place, ...AB, 'photos');
    const { outcome, sources } = await mirror(['--out', 'out/sub', ...A, 'photos'], [], []);
    await assertInvariants(place, { sources, outcome });
  });
});

it('a retry keeps the outputs of a newer batch, also when the clock was set back in between', async () => {
  place.put('photos/d.jpg', 'no picture');
  const first = finishedOf(await place.run([...MIRROR, ...A, 'photos']));
  expect(first.exit).toBe(1);
  putOld(place.at('photos/d.jpg'), await picture({ seed: 4 }));
  await made(place, '--mirror', ...AB, 'photos');
  const db = keep(new Sqlite(place.index));
  keep(db.prepare('UPDATE batches SET started_at = started_at - 7200000 WHERE id <> ?')).run(first.batch);
  db.close();
  const before = listing(place);
  const outcome = await place.run(['retry', first.batch, '--json']);
  expect([outcome.code, removedIn(outcome)], outcome.stderr).toEqual([0, []]);
  expect(changesOf(before, listing(place))).toEqual(NOTHING);
});

it('an output folder that is empty, as of an unmounted disk, does not make the mirror forget its outputs', async () => {
  await made(place, ...AB, 'photos');
  renameSync(place.at('out'), place.at('disk'));
  rmSync(place.at('photos/a.jpg'));
  const outcome = await place.run([...MIRROR, ...AB, 'photos']);
  expect([outcome.code, removedIn(outcome)]).toEqual([0, []]);
  rmSync(place.at('out'), { recursive: true });
  renameSync(place.at('disk'), place.at('out'));
  const { outcome: last, sources } = await mirror([...AB, 'photos'], outputsOf(['a'], 'ab'), []);
  await assertInvariants(place, { sources, outcome: last, gone: outputsOf(['a'], 'ab') });
});

describe('a name of an output that leads through a link', () => {
  it('to a picture that imgtool processes: the picture stays, and a warning names it', async () => {
    await made(place, ...AB, 'photos');
    renameSync(place.at('out/sub'), place.at('final'));
    symlinkSync(place.at('final'), place.at('out/sub'));
    await made(place, '--out', 'thumbs', ...A, 'final');
    rmSync(place.at('photos/sub/e.jpg'));
    const stay = ['a', 'b'].map((variant) => {
      const what = `is ${place.at(`final/e_${variant}.webp`)}, a picture that imgtool processes`;
      return `out/sub/e_${variant}.webp: ${what}, so the file stays`;
    });
    await mirror([...AB, 'photos'], [], stay);
  });

  it('to an output of another preset: the output stays, and a warning names it', async () => {
    const presets = (two: string) => `presets:\n  one: ['a:w=40']\n  two: ['${two}']\n`;
    place.put('.imgtoolrc', presets('a:w=40'));
    await made(place, '--preset', 'one', 'photos');
    symlinkSync(place.at('out'), place.at('link'));
    await made(place, '--out', 'link', '--preset', 'two', 'photos');
    place.put('.imgtoolrc', presets('b:w=20'));
    const stay = NAMES.map((name) => {
      const what = `is ${place.at(`out/${name}_a.webp`)}, which is recorded as another output`;
      return `link/${name}_a.webp: ${what}, so the file stays`;
    });
    await mirror(['--out', 'link', '--preset', 'two', 'photos'], [], stay);
    await mirror(['--preset', 'one', 'photos'], [], []);
    expect(place.files('out')).toHaveLength(12);
    const { code } = await place.run(['verify']);
    expect(code).toBe(0);
  });
});
