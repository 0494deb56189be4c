import sharp from 'sharp';
import { expect, it } from 'vitest';
import { FORMATS } from '../../src/variants/formats.ts';
import { countsOf, jobsOf, openPlace } from './imgtool.ts';
import { picture, putOld } from './pictures.ts';
import { verify } from './verifying.ts';

it('every format can be written, is unchanged in the next run, and is found right by verify', async () => {
  const place = openPlace();
  for (const seed of [1, 2]) {
    const format = seed === 1 ? 'png' : 'jpeg';
    putOld(place.at(`photos/${seed}.${format}`), await picture({ seed, format }));
  }
  const variants = FORMATS.flatMap((format) => ['--variant', `v:w=40,format=${format}`]);
  const first = await place.process(...variants);
  expect([first.code, countsOf(first)]).toEqual([0, { completed: 2 }]);
  const outputs = jobsOf(first).flatMap((job) => job.outputs ?? []);
  expect(outputs).toHaveLength(2 * FORMATS.length);
  for (const { path, format, width, height } of outputs) {
    const found = await sharp(place.at(path)).metadata();
    expect([format === 'avif' ? 'heif' : format, width, height]).toEqual([
      found.format,
      found.width,
      found.height,
    ]);
  }
  expect(place.files('out')).toEqual(expect.arrayContaining(['1_v.gif', '1_v.tif']));
  expect(countsOf(await place.process(...variants))).toEqual({ unchanged: 2 });
  const { code, document } = await verify(place);
  expect([code, document.verified, document.wrong]).toEqual([0, 2 * FORMATS.length, 0]);
});

it.each([
  [
    'v:w=40,format=png,chroma=444',
    'chroma: expected no chroma for png, got "444"\nfix: leave chroma out, or choose format=webp, jpeg or avif\n',
  ],
  [
    'v:w=40,format=jpeg,nearlossless',
    'nearlossless: expected no nearlossless for jpeg, got true\nfix: leave nearlossless out, or choose format=webp\n',
  ],
])(
  'a field that the format does not have ends the command with the formats that have it: %s',
  async (spec, words) => {
    const place = openPlace();
    const { code, stdout, stderr } = await place.run(['process', '--variant', spec, 'photos']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(words);
  },
);
