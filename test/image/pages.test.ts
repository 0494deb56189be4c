import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { framesOf } from '../../src/image/avif.ts';
import { openPicture } from '../../src/image/picture.ts';
import type { RenderProgress } from '../../src/model.ts';
import { box } from './avif-writer.ts';
import { bmpOf, icoOf } from './bmp/bmp-writer.ts';
import { exact, file, LIMITS, plain, rendered, scratch } from './pictures.ts';
import { chunk, number } from './png-writer.ts';

const folder = scratch();

/** Three pages of 40 x 30 px. */
async function pages(): Promise<Sharp> {
  const colours = ['#ff0000', '#00ff00', '#0000ff'];
  const stills = await Promise.all(colours.map((colour) => plain(40, 30, colour).png().toBuffer()));
  return sharp(stills, { join: { animated: true } });
}

async function pagesOf(bytes: Uint8Array): Promise<number> {
  const { facts, close } = await openPicture(file(folder, bytes), LIMITS);
  await close();
  return facts.pages;
}

/** A PNG with a chunk of animation control behind its header (PNG, third edition, 11.3.6.1). */
async function animatedPng(control: Buffer): Promise<Buffer> {
  const still = await plain(40, 30, '#ff0000').png().toBuffer();
  return Buffer.concat([still.subarray(0, 33), chunk('acTL', control), still.subarray(33)]);
}

/** The boxes around the sample sizes of the first track of an AVIF. */
function track(content: Buffer): Buffer {
  const path = ['stbl', 'minf', 'mdia', 'trak', 'moov'];
  return path.reduce((inner, type) => box(type, inner), box('stsz', content));
}

describe('the number of pages', () => {
  it('is that of the frames of an animation', async () => {
    expect(await pagesOf(await (await pages()).gif().toBuffer())).toBe(3);
    expect(await pagesOf(await (await pages()).webp().toBuffer())).toBe(3);
    expect(await pagesOf(await animatedPng(Buffer.concat([number(12, 4), number(0, 4)])))).toBe(12);
    expect(framesOf(track(Buffer.concat([Buffer.alloc(8), number(5, 4)])))).toBe(5);
  });

  it('is that of the pages of a TIFF, without smaller copies of its picture', async () => {
    expect(await pagesOf(await (await pages()).tiff().toBuffer())).toBe(3);
    const pyramid = plain(600, 400, '#ff0000').tiff({ pyramid: true, tile: true });
    const bytes = await pyramid.toBuffer();
    expect((await sharp(bytes).metadata()).pages).toBeGreaterThan(1);
    expect(await pagesOf(bytes)).toBe(1);
  });

  it('is one for a still picture', async () => {
    const still = plain(40, 30, '#ff0000');
    const formats = ['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif'] as const;
    const found = formats.map(async (format) => pagesOf(await still.clone().toFormat(format).toBuffer()));
    expect(await Promise.all(found)).toEqual(formats.map(() => 1));
  });

  it('is one where the count of an animation is cut short', async () => {
    expect(framesOf(track(Buffer.alloc(8)))).toBe(1);
    expect(await pagesOf(await animatedPng(number(0, 1)))).toBe(1);
  });
});

describe('a page that a variant names', () => {
  const second = exact({ width: null, page: 2 });

  it('is none of the smaller copies of a picture', async () => {
    const bytes = await plain(600, 400, '#ff0000').tiff({ pyramid: true, tile: true }).toBuffer();
    await expect(rendered(folder, bytes, [second])).rejects.toMatchObject({
      ...{ code: 'outside_picture', message: 'it has no page 2: the TIFF has 1' },
    });
  });

  it.each([
    ['gif', async () => await (await pages()).gif().toBuffer()],
    ['avif', async () => await plain(40, 30, '#ff0000').avif({ effort: 0 }).toBuffer()],
    ['bmp', async () => bmpOf({ bits: 24 }).bytes],
    ['ico', async () => icoOf([{ kind: { bits: 8 }, isMasked: () => false }]).bytes],
    [
      'ico',
      async () => icoOf([{ png: await plain(8, 8, '#ff0000').png().toBuffer(), width: 8, height: 8 }]).bytes,
    ],
  ])('is not there in a picture of another format: %s', async (format, make) => {
    await expect(rendered(folder, await make(), [second])).rejects.toMatchObject({
      code: 'outside_picture',
      message: `it has no page 2: only a TIFF has pages, and this is ${format}`,
    });
  });

  it('counts by its pixels in the progress of all pages', async () => {
    const path = file(folder, await (await pages()).tiff().toBuffer());
    const asked = [
      { page: 1, scale: '50%' },
      { page: 3, grayscale: true },
      { page: 1, grayscale: true },
    ] as const;
    const variants = asked.map((each, i) => exact({ width: null, ...each, name: `v${i}` }));
    const picture = await openPicture(path, LIMITS, variants);
    const reports: RenderProgress[] = [];
    const orders = variants.map((variant) => ({ variant, path: `${path}.${variant.name}` }));
    await picture.render(orders, 1, (made) => reports.push(made));
    await picture.close();
    expect(reports.map(({ done }) => done)).toEqual([1, 2, 3]);
    // A quarter of a page and two whole pages.
    const shares = [1 / 9, 5 / 9, 1].map((share) => expect.closeTo(share, 9));
    expect(reports.map(({ share }) => share)).toEqual(shares);
    expect(reports.at(-1)?.share).toBe(1);
  });
});
