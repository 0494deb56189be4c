import Sqlite from 'better-sqlite3';
import sharp from 'sharp';
import { beforeEach, describe, expect, it } from 'vitest';
import { keep } from '../../src/adapters/sqlite/binding.ts';
import { ramp, waves } from '../image/animation/cases.ts';
import { type Gif, writeGif } from '../image/animation/gif-frames.ts';
import { untilWorking } from './group.ts';
import { jobOf, jobsOf, openPlace, type Place } from './imgtool.ts';
import { assertInvariants, sourcesOf } from './invariants.ts';
import { picture, printOf, putOld } from './pictures.ts';

/** Frames of a few pixels on a canvas of this size. */
const animation = (frames: number, side: number): Gif => ({
  ...{ width: side, height: side, colours: ramp(16), repeats: 2 },
  frames: Array.from({ length: frames }, (_, i) => waves(16, 12, 16, i)),
});

let place: Place;
beforeEach(async () => {
  place = openPlace();
  putOld(place.at('photos/still.jpg'), await picture());
});

const put = (gif: Gif): void => putOld(place.at('photos/a.gif'), writeGif(gif));

describe('an animated GIF', () => {
  it('becomes an animated WebP and GIF, and a still JPEG, which are in order', async () => {
    put(animation(5, 40));
    const variants = [
      '--variant',
      'm:format=webp',
      '--variant',
      'm:w=20,format=gif',
      '--variant',
      'm:w=20,format=jpeg',
    ];
    const outcome = await place.process(...variants);
    expect(outcome.code, outcome.stderr).toBe(0);
    const made = ['a_m.webp', 'a_m.gif', 'a_m.jpg'].map((name) => sharp(place.at('out', name)).metadata());
    const found = (await Promise.all(made)).map(({ pages, delay, loop }) => [pages, delay, loop]);
    const moving = [5, [80, 80, 80, 80, 80], 3];
    expect(found).toEqual([moving, moving, [undefined, undefined, undefined]]);
    expect((await place.run(['verify'])).stdout).toContain('all in order');
    await assertInvariants(place, { sources: sourcesOf(place, 'photos') });
  });

  it('has the metadata that is asked for, and no profile', async () => {
    const gif = writeGif(animation(5, 40));
    const webp = await sharp(gif, { animated: true })
      .withExif({ IFD0: { Copyright: 'Anna', Make: 'SECRET' } })
      .withIccProfile('p3')
      .webp()
      .toBuffer();
    putOld(place.at('photos/a.webp'), webp);
    putOld(place.at('photos/b.gif'), gif);
    await place.process('--keep', 'copyright+icc', '--artist', 'Bea', '--variant', 'm:w=20');
    const made = await sharp(place.at('out/a_m.webp'), { pages: -1 }).metadata();
    expect(made).toMatchObject({ pages: 5, loop: 3, delay: [80, 80, 80, 80, 80] });
    expect([made.icc, made.exif?.includes('Anna'), made.exif?.includes('SECRET')]).toEqual([
      undefined,
      true,
      false,
    ]);
    expect((await place.run(['verify'])).stdout).toContain('all in order');
    // A GIF has no EXIF: nothing is added.
    await place.process('--keep', 'exif', '--variant', 'n:w=20');
    expect((await sharp(place.at('out/b_n.webp')).metadata()).exif).toBeUndefined();
    const refused = await place.process('--keep', 'exif', '--variant', 'm:w=20,format=gif');
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('what gif can hold')]);
  });

  it('of a library from before stays as it is, and moves with --outdated', async () => {
    put(animation(5, 40));
    await place.process('--variant', 'm:w=20,animated=first');
    const before = printOf(place.at('out', 'a_m.webp'));
    // The settings of a variant that does not name `animated`, and the recipe of still outputs.
    await place.process('--variant', 'm:w=20', '--out', 'other');
    const db = keep(new Sqlite(place.index));
    const [settings] = keep(
      db.prepare("SELECT settings FROM outputs WHERE path LIKE '%other/a_m.webp'").pluck(),
    ).all();
    keep(db.prepare("UPDATE outputs SET settings = ?, recipe = 2 WHERE path LIKE '%out/a_m.webp'")).run(
      settings,
    );
    keep(db.prepare("DELETE FROM outputs WHERE path LIKE '%other/a_m.webp'")).run();
    db.close();

    const same = await place.process('--variant', 'm:w=20');
    expect(jobOf(same, 'photos/a.gif')).toMatchObject({ state: 'unchanged', pages: 5, firstOnly: true });
    expect(printOf(place.at('out', 'a_m.webp'))).toBe(before);

    const again = await place.process('--variant', 'm:w=20', '--outdated');
    expect(jobOf(again, 'photos/a.gif')).toMatchObject({ state: 'completed', outputs: [{ pages: 5 }] });
    // The outputs of still pictures have the same recipe as before.
    expect(jobOf(again, 'photos/still.jpg').outputs![0]!.action).not.toBe('rendered');
    expect((await sharp(place.at('out/a_m.webp')).metadata()).pages).toBe(5);
  });

  it('is refused before decoding when its frames need more memory or pixels than allowed', async () => {
    put(animation(200, 1000));
    const small = await place.process('--variant', 'm:format=webp', '--memory', '512M');
    expect(jobOf(small, 'photos/a.gif').error).toMatchObject({
      code: 'too_large',
      message: expect.stringContaining('of memory'),
    });
    const few = await place.process('--variant', 'm:format=webp', '--limit-pixels', '100M');
    expect(jobOf(few, 'photos/a.gif').error).toMatchObject({
      code: 'too_large',
      message: expect.stringContaining('200 frames of 1,000 x 1,000 px are over the limit of 100 Mpx'),
      fix: expect.stringMatching(/animated=first.*limit-pixels 200M/),
    });
    const first = await place.process('--variant', 'm:format=webp,animated=first', '--memory', '512M');
    expect(jobOf(first, 'photos/a.gif')).toMatchObject({ state: 'completed', pages: 200, firstOnly: true });
  });

  it('with too many frames is refused with both numbers and a fix', async () => {
    put(animation(501, 20));
    const outcome = await place.process('--variant', 'm:format=webp');
    expect(outcome.code).toBe(1);
    expect(jobOf(outcome, 'photos/a.gif').error).toMatchObject({
      code: 'too_many_frames',
      message: expect.stringContaining('501 frames are over the limit of 500'),
      fix: expect.stringContaining('animated=first'),
    });
    expect(jobsOf(await place.process('--variant', 'm:format=webp,animated=first'))).toHaveLength(2);
  });

  it('leaves nothing behind when its batch is stopped in the middle', async () => {
    put(animation(400, 600));
    const session = place.start([
      'process',
      '--json',
      '--variant',
      'm:format=webp',
      '--out',
      'out',
      'photos/a.gif',
    ]);
    await untilWorking(session.pid, 500);
    // A second signal soon after the first counts as the same one.
    const signals = setInterval(() => session.signal('SIGINT'), 50);
    const outcome = await session.ended;
    clearInterval(signals);
    expect(jobOf(outcome, 'photos/a.gif').state).toBe('cancelled');
    expect(place.files('out')).toEqual([]);
  });
});
