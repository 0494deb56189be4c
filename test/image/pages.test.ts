import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { framesOf } from '../../src/image/avif.ts';
import { openPicture } from '../../src/image/picture.ts';
import { box } from './avif-writer.ts';
import { file, LIMITS, plain, scratch } from './pictures.ts';
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
