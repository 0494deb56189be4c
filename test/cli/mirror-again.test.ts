import { rmSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { makeGate } from './gate.ts';
import { finishedOf, openPlace, type Place } from './imgtool.ts';
import { assertInvariants, sourcesOf } from './invariants.ts';
import {
  A,
  AB,
  changesOf,
  listing,
  made,
  outputsOf,
  putPictures,
  removedIn,
  warningsIn,
} from './mirroring.ts';
import { picture, putOld } from './pictures.ts';

/** Batches with --mirror that come again: resumed, retried, or run on another day. */

const MIRROR = ['process', '--json', '--out', 'out', '--mirror'];
const NOTHING = { removed: [], added: [], changed: [] };

let place: Place;
beforeEach(async () => {
  place = openPlace();
  await putPictures(place);
});

/** Runs a batch, and stops it while the second source is in work. Returns its id. */
async function stopped(args: readonly string[]): Promise<string> {
  const gate = makeGate(place);
  const session = place.start(args, gate);
  await gate.held(session);
  session.signal('SIGINT', 'group');
  await session.event('stopping');
  gate.open();
  const outcome = await session.ended;
  expect([finishedOf(outcome).state, removedIn(outcome)]).toEqual(['cancelled', []]);
  return finishedOf(outcome).batch;
}

describe('a batch from before a newer batch with more variants', () => {
  const KEEPS = [
    expect.stringMatching(/^keeps outputs of other variants: batch \w+ is newer and asks for them$/),
  ];

  it('removes only outputs of gone sources when it is retried', async () => {
    place.put('photos/d.jpg', 'no picture');
    const first = finishedOf(await place.run([...MIRROR, ...A, 'photos']));
    expect(first.exit).toBe(1);
    putOld(place.at('photos/d.jpg'), await picture({ seed: 4 }));
    await made(place, '--mirror', ...AB, 'photos');
    rmSync(place.at('photos/a.jpg'));
    const sources = sourcesOf(place, 'photos');
    const before = listing(place);
    const outcome = await place.run(['retry', first.batch, '--json']);
    expect([outcome.code, removedIn(outcome)], outcome.stderr).toEqual([0, outputsOf(['a'], 'ab')]);
    expect(warningsIn(outcome)).toEqual(KEEPS);
    expect(changesOf(before, listing(place))).toEqual({ ...NOTHING, removed: outputsOf(['a'], 'ab') });
    await assertInvariants(place, { sources, outcome, gone: outputsOf(['a'], 'ab') });
  });

  it('removes only outputs of gone sources when it is resumed', async () => {
    const first = await stopped([...MIRROR, ...A, 'photos']);
    await made(place, '--mirror', ...AB, 'photos');
    rmSync(place.at('photos/a.jpg'));
    const sources = sourcesOf(place, 'photos');
    const before = listing(place);
    const outcome = await place.run(['resume', first, '--json']);
    expect([outcome.code, removedIn(outcome)], outcome.stderr).toEqual([0, outputsOf(['a'], 'ab')]);
    expect(warningsIn(outcome)).toEqual(KEEPS);
    expect(changesOf(before, listing(place))).toEqual({ ...NOTHING, removed: outputsOf(['a'], 'ab') });
    await assertInvariants(place, { sources, outcome, gone: outputsOf(['a'], 'ab') });
  });
});
