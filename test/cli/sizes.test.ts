import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { beforeEach, describe, expect, it } from 'vitest';
import { interlacedPng } from '../image/png-writer.ts';
import { writeTiffs } from '../image/tiff/write.ts';
import { countsOf, finishedOf, jobOf, openPlace, type Place } from './imgtool.ts';
import { putOld } from './pictures.ts';

let place: Place;
beforeEach(async () => {
  place = openPlace();
  putOld(place.at('photos/a.png'), await halves(200, 100));
});

/** Red on the right, white on the left. */
async function halves(width: number, height: number): Promise<Buffer> {
  const plain = (across: number, background: string) =>
    sharp({ create: { width: across, height, channels: 3, background } });
  const red = await plain(width / 2, '#ff0000')
    .png()
    .toBuffer();
  return plain(width, '#ffffff')
    .composite([{ input: red, left: width / 2, top: 0 }])
    .png()
    .toBuffer();
}

const SPECS = {
  'same:format=webp': [200, 100],
  'half:scale=50%': [100, 50],
  'outside:w=50,h=50,fit=outside': [100, 50],
  'cover:w=50,h=50,fit=cover,position=100%:0%': [50, 50],
  'contain:w=300,h=300,fit=contain,background=#00f': [300, 300],
  'fill:w=70,h=90,fit=fill': [70, 90],
  'large:w=400,enlarge=yes': [400, 200],
  'ratio:ratio=16:10,w=80': [80, 50],
  'crop:crop=10:20:30:40': [30, 40],
  'quarter:crop=25%:25%:50%:50%': [100, 50],
  'trim:trim': [100, 100],
  'linear:w=20,linear': [20, 10],
  'page:page=1,w=10': [10, 5],
} as const;

const variants = (specs: readonly string[]) => specs.flatMap((spec) => ['--variant', spec]);

describe('the sizes of outputs', () => {
  it('are those of every field, and a second run finds them unchanged', async () => {
    const args = variants(Object.keys(SPECS));
    const first = await place.process(...args);
    expect(first.code).toBe(0);
    const { outputs } = jobOf(first, 'photos/a.png');
    expect(outputs?.map(({ width, height }) => [width, height])).toEqual(Object.values(SPECS));
    const cover = await sharp(readFileSync(place.at('out/a_cover.webp'))).stats();
    expect(cover.channels.map(({ mean }) => Math.round(mean / 255))).toEqual([1, 0, 0]);
    expect(countsOf(await place.process(...args))).toEqual({ unchanged: 1 });
  });

  it('never make a PNG larger than its PNG source, also when that is interlaced', async () => {
    const source = interlacedPng();
    putOld(place.at('photos/a.png'), source);
    const made = await place.process(...variants(['same:format=png']));
    expect([made.code, made.stderr]).toEqual([0, '']);
    expect(jobOf(made, 'photos/a.png').outputs?.[0]?.bytes).toBe(source.length);
    expect(readFileSync(place.at('out/a_same.png'))).toEqual(source);
  });

  it('mean the same in a file, as lists and as text', async () => {
    await place.process(
      ...variants(['a:crop=10:20:30:40,ratio=16:9,position=30%:40%', 'b:w=9,h=9,fit=contain']),
    );
    const file = { crop: [10, 20, 30, 40], ratio: [16, 9], position: ['30%', '40%'] };
    place.put(
      '.imgtoolrc',
      JSON.stringify({ variants: { a: file, b: { width: 9, height: 9, fit: 'contain' } } }),
    );
    const outcome = await place.run(['process', 'photos', '--out', 'out', '--json']);
    expect([outcome.code, finishedOf(outcome).counts.unchanged]).toEqual([0, 1]);
  });

  it('fail for one picture that is too small for a crop, and say its size', async () => {
    putOld(place.at('photos/b.png'), await halves(20, 10));
    const outcome = await place.process('--variant', 'a:crop=0:0:100:100');
    expect([outcome.code, countsOf(outcome)]).toEqual([1, { completed: 1, failed: 1 }]);
    expect(jobOf(outcome, 'photos/b.png').error).toMatchObject({
      code: 'outside_picture',
      message: 'crop 0:0:100:100 of variant a is not inside the picture of 20 x 10 px',
    });
  });

  it('come from the page of a TIFF, and a missing page fails', async () => {
    const page = (width: number) => {
      return { width, height: 10, photometric: 1, bits: 8, samples: 1, value: () => 90 };
    };
    putOld(place.at('photos/c.tif'), writeTiffs([page(30), page(60)], []));
    const outcome = await place.process('--variant', 'one:scale=50%', '--variant', 'two:page=2');
    expect(outcome.code).toBe(1);
    expect(jobOf(outcome, 'photos/c.tif').outputs?.map(({ width }) => width)).toEqual([15, 60]);
    expect(jobOf(outcome, 'photos/a.png').error?.message).toBe(
      'it has no page 2: only a TIFF has pages, and this is png',
    );
  });

  it.each([
    ['a:w=5,scale=50%', 'scale: expected either scale or a width and height'],
    ['a:fit=contain,w=5', 'fit: expected width and height for contain'],
    ['a:w=5,position=10%:10%', 'position: expected fit=cover, fit=contain or a ratio beside it'],
    ['a:scale=300%', 'scale: expected at most 100% without enlarge'],
  ])('need fields that go together: %s', async (spec, message) => {
    const { code, stderr } = await place.process('--variant', spec);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});
