import { rmSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { finishedOf, jobOf, type Outcome, openPlace, type Place, SMALL } from './imgtool.ts';
import { makeOlder } from './older.ts';
import { noise, picture, putOld } from './pictures.ts';

/** A JPEG of which a piece is missing, with outputs of an earlier run, beside a sound one. */
let place: Place;
let hole: Buffer;
beforeEach(async () => {
  place = openPlace();
  const whole = await noise(400, 300);
  const middle = whole.length / 2;
  hole = Buffer.concat([whole.subarray(0, middle), whole.subarray(middle + 2_000)]);
  putOld(place.at('photos/hole.jpg'), hole);
  putOld(place.at('photos/good.jpg'), await picture());
  expect(jobOf(await place.process(), 'photos/hole.jpg')).toMatchObject({ degraded: true });
});

const ONE = '1 image is damaged, and its outputs show what could be read: ';
const shown = (...args: string[]) => place.run(['process', ...SMALL, '--out', 'out', ...args, 'photos']);

function assertKnown(outcome: Outcome, state: string): void {
  expect(outcome.code, outcome.stderr).toBe(0);
  expect(jobOf(outcome, 'photos/hole.jpg')).toMatchObject({ state, degraded: true });
  expect(jobOf(outcome, 'photos/good.jpg')).not.toHaveProperty('degraded');
  expect(finishedOf(outcome).degraded).toBe(1);
}

describe('a damaged picture that was accepted', () => {
  it('is named by every later run in which it is unchanged, in one line without a warning', async () => {
    const again = await shown();
    expect([again.code, again.stderr.match(/damaged/g)?.length]).toEqual([0, 1]);
    expect(again.stderr).toContain(`imgtool: ${ONE}photos/hole.jpg\n`);
    expect(again.stderr).toContain('unchanged=2 degraded=1\n');
    expect((await shown('-q')).stderr).toBe('');
    const terminal = await shown('--progress', 'bar');
    expect(terminal.stderr.replaceAll(/\s+/g, ' ')).toContain(`${ONE}photos/hole.jpg`);
    assertKnown(await place.process(), 'unchanged');
    const { batch, jobs, degradedSources } = await place.status('last', '--all');
    expect(batch).toMatchObject({ degraded: 1, counts: { unchanged: 2 } });
    expect([jobs, degradedSources]).toEqual([[], [place.at('photos/hole.jpg')]]);
    const { stdout } = await place.run(['status', 'last']);
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain(`aside ${ONE}${place.at('photos/hole.jpg')} `);
    const listed = JSON.parse((await place.run(['list', '--json'])).stdout);
    expect(listed.batches[0]).toMatchObject({ id: batch.id, degraded: 1 });
  });

  it('is named by a dry run, and by a watch that drains', async () => {
    const dry = await place.process('--dry-run');
    assertKnown(dry, 'unchanged');
    expect((await shown('--dry-run')).stderr).toContain(`${ONE}photos/hole.jpg\n`);
    const watch = await place.run(['watch', '--once', ...SMALL, '--out', 'out', 'photos']);
    expect([watch.code, watch.stdout, watch.stderr]).toEqual([
      0,
      '',
      expect.stringMatching(/ unchanged=2 degraded=1 /),
    ]);
  });

  it.each(['link', 'copy', 'skip'] as const)(
    'marks its duplicates too, with --duplicates %s',
    async (how) => {
      putOld(place.at('photos/twin.jpg'), hole);
      for (const state of ['duplicate', how === 'skip' ? 'duplicate' : 'unchanged']) {
        const outcome = await place.process('--duplicates', how);
        expect(jobOf(outcome, 'photos/twin.jpg')).toMatchObject({ state, degraded: true });
        expect(finishedOf(outcome).degraded).toBe(2);
      }
    },
  );

  it('stays marked when its outputs are reused for another folder, and with new variants', async () => {
    const elsewhere = await place.process('--out', 'elsewhere');
    expect(jobOf(elsewhere, 'photos/hole.jpg')).toMatchObject({ reused: true, degraded: true });
    assertKnown(elsewhere, 'completed');
    rmSync(place.at('photos/hole.jpg'));
    putOld(place.at('photos/moved.jpg'), hole);
    const moved = await place.process();
    expect(jobOf(moved, 'photos/moved.jpg')).toMatchObject({ reused: true, degraded: true });
    const sized = await place.process('--variant', 'c:w=30');
    expect(jobOf(sized, 'photos/moved.jpg')).toMatchObject({ state: 'completed', degraded: true });
  });

  it('is marked no longer once it is repaired', async () => {
    putOld(place.at('photos/hole.jpg'), await noise(400, 300));
    const repaired = await place.process();
    expect(jobOf(repaired, 'photos/hole.jpg')).not.toHaveProperty('degraded');
    expect(finishedOf(repaired).degraded).toBe(0);
    expect((await shown()).stderr).not.toContain('damaged');
    expect((await place.status('last')).degradedSources).toEqual([]);
  });

  it('is known from the jobs in an index of the previous version', async () => {
    makeOlder(place.index, 11);
    assertKnown(await place.process(), 'unchanged');
  });
});

it('marks a baseline JPEG that is decoded to its last pixel before its data ends', async () => {
  const whole = await noise(400, 300);
  const end = whole.length - 2;
  putOld(
    place.at('photos/hole.jpg'),
    Buffer.concat([whole.subarray(0, end), Buffer.alloc(60, 0x35), whole.subarray(end)]),
  );
  const outcome = await place.process();
  assertKnown(outcome, 'completed');
  expect(outcome.stderr).toContain('photos/hole.jpg: has damaged parts inside\n');
  assertKnown(await place.process(), 'unchanged');
});
