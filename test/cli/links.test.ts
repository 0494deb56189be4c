import { mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { makeGate } from './gate.ts';
import { countsOf, finishedOf, jobOf, type Outcome, openPlace, type Place, SMALL } from './imgtool.ts';
import { assertNothingFromOutside, putSecret, swap, TARGETS } from './linking.ts';
import { noise, picture, putOld } from './pictures.ts';
import { verify } from './verifying.ts';

let place: Place;
beforeEach(async () => {
  place = openPlace();
  await putSecret(place);
  putOld(place.at('photos/0.jpg'), await picture({ seed: 1 }));
});

const VICTIM = 'photos/sub/victim.jpg';
const putVictim = async (seed = 2) => putOld(place.at(VICTIM), await picture({ seed }));
const putHalf = async () => putOld(place.at(VICTIM), (await noise(120, 90)).subarray(0, 5_000));
const ARGS = ['process', '--json', ...SMALL, '--out', 'out'];

/** Checks that the source failed because it is outside of its folder, and that no output shows the outside picture. */
async function assertRefused(outcome: Outcome, outputs: string[] = ['0_a.webp', '0_b.webp']): Promise<void> {
  expect(outcome.code, outcome.stderr).toBe(1);
  expect(jobOf(outcome, VICTIM)).toMatchObject({
    state: 'failed',
    error: { code: 'source_outside', fix: expect.any(String) },
  });
  expect(place.files('out')).toEqual(outputs);
  await assertNothingFromOutside(place, outcome);
}

describe.each(TARGETS)('a found source whose %s is replaced by a link', (target) => {
  it.each([
    ['a folder', 'photos'],
    ['a glob', 'photos/**/*.jpg'],
  ])('after the walk of %s fails, and the others are rendered', async (_, input) => {
    await putVictim();
    const gate = makeGate(place);
    const session = place.start([...ARGS, input], gate);
    await gate.held(session);
    swap(place, VICTIM, target);
    gate.open();
    await assertRefused(await session.ended);
  });

  it('fails again with imgtool retry', async () => {
    await putHalf();
    const { batch } = finishedOf(await place.process());
    swap(place, VICTIM, target);
    await assertRefused(await place.run(['retry', batch, '--json']));
  });

  it.each(['.', 'photos'])('fails in a killed batch that is resumed from %s', async (cwd) => {
    await putVictim();
    const gate = makeGate(place);
    const session = place.start([...ARGS, 'photos'], gate);
    await gate.held(session);
    session.signal('SIGKILL', 'group');
    await session.ended;
    swap(place, VICTIM, target);
    const { batches } = JSON.parse((await place.run(['list', '--json'])).stdout);
    const batch: string = batches[0].id;
    const outcome = await place.run(['resume', batch, '--json'], { cwd: place.at(cwd) });
    expect(countsOf(outcome)).toEqual({ completed: 1, failed: 1 });
    expect(outcome.stdout).toContain('"source_outside"');
    await assertNothingFromOutside(place, outcome);
  });

  it('is not rendered again by verify --fix, nor by a second verify --fix', async () => {
    await putVictim();
    await place.process();
    const remove = () => rmSync(place.at('out/sub'), { recursive: true });
    remove();
    const repaired = await verify(place, '--fix');
    expect([repaired.code, repaired.document.fixed]).toEqual([0, 2]);
    remove();
    swap(place, VICTIM, target);
    for (let time = 0; time < 2; time++) {
      const { code, document } = await verify(place, '--fix');
      expect(code).toBe(1);
      expect(document.problems.map(({ fixed, error }) => [fixed, error?.code])).toEqual([
        [false, 'source_outside'],
        [false, 'source_outside'],
      ]);
      expect(place.files('out')).toEqual(['0_a.webp', '0_b.webp']);
    }
  });
});

describe('with --follow-symlinks', () => {
  it('a found link that is changed to lead outside fails, and a link that stays inside is followed', async () => {
    await putVictim();
    putOld(place.at('photos/.store/kept.jpg'), await picture({ seed: 3 }));
    putOld(place.at('photos/.store/victim.jpg'), await picture({ seed: 4 }));
    rmSync(place.at(VICTIM));
    symlinkSync('../.store/victim.jpg', place.at(VICTIM));
    symlinkSync('../.store/kept.jpg', place.at('photos/sub/kept.jpg'));
    const gate = makeGate(place);
    const session = place.start([...ARGS, '--follow-symlinks', 'photos'], gate);
    await gate.held(session);
    symlinkSync(place.at('secret/victim.jpg'), place.at('link'));
    renameSync(place.at('link'), place.at(VICTIM));
    gate.open();
    const outcome = await session.ended;
    expect(jobOf(outcome, 'photos/sub/kept.jpg').state).toBe('completed');
    await assertRefused(outcome, ['0_a.webp', '0_b.webp', 'sub/kept_a.webp', 'sub/kept_b.webp']);
  });

  it('verify --fix renders the outputs of a followed link again', async () => {
    putOld(place.at('photos/.store/kept.jpg'), await picture({ seed: 3 }));
    symlinkSync('.store/kept.jpg', place.at('photos/kept.jpg'));
    expect(countsOf(await place.process('--follow-symlinks'))).toEqual({ completed: 2 });
    rmSync(place.at('out/kept_a.webp'));
    expect((await verify(place, '--fix')).document.fixed).toBe(1);
  });
});

describe('a link that the user named', () => {
  beforeEach(() => {
    mkdirSync(place.at('links'));
    symlinkSync(place.at('photos/0.jpg'), place.at('links/named.jpg'));
  });

  it('is read, and its outputs are rendered again by verify --fix', async () => {
    const outcome = await place.run([...ARGS, 'links/named.jpg']);
    expect([outcome.code, countsOf(outcome)]).toEqual([0, { completed: 1 }]);
    for (let time = 0; time < 2; time++) {
      rmSync(place.at('out/named_a.webp'));
      expect((await verify(place, '--fix')).document.fixed).toBe(1);
    }
  });

  it('is read if a list names it, and read again by imgtool retry', async () => {
    place.put('list', 'links/named.jpg\n');
    renameSync(place.at('photos/0.jpg'), place.at('photos/away.jpg'));
    const first = await place.run([...ARGS, '--files-from', 'list']);
    expect(countsOf(first)).toEqual({ failed: 1 });
    renameSync(place.at('photos/away.jpg'), place.at('photos/0.jpg'));
    rmSync(place.at('list'));
    const again = await place.run(['retry', finishedOf(first).batch, '--json']);
    expect([again.code, countsOf(again)], again.stdout).toEqual([0, { completed: 1 }]);
  });

  it('is followed as a folder, even if it leads elsewhere at the next run', async () => {
    symlinkSync('photos', place.at('current'));
    expect((await place.run([...ARGS, 'current'])).code).toBe(0);
    putOld(place.at('release/1.jpg'), await picture({ seed: 5 }));
    rmSync(place.at('current'));
    symlinkSync('release', place.at('current'));
    const outcome = await place.run([...ARGS, 'current']);
    expect(jobOf(outcome, 'current/1.jpg').state).toBe('completed');
  });
});
