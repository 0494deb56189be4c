import { describe, expect, it } from 'vitest';
import { encode } from '../../../src/image/steps/encode.ts';
import { dominantColor, type Frames, from, raw } from '../../../src/image/steps/frames.ts';
import { sharp } from '../../../src/image/vips.ts';
import { variant } from '../pictures.ts';

const RED = [255, 0, 0];
const GREEN = [0, 128, 0];
const BLUE = [0, 0, 255];

/** Three pages of one colour each, 8 by 4 pixels. */
const THREE: Frames = {
  data: Buffer.concat([RED, GREEN, BLUE].map((colour) => Buffer.alloc(8 * 4 * 3, Buffer.from(colour)))),
  ...{ width: 8, height: 4, channels: 3, pages: 3, delays: [100, 40, 1000], loop: 2 },
};

/** The colours of each page, without repetition. */
function coloursOf({ data, width, height, channels, pages }: Frames): string[][] {
  const size = width * height * channels;
  return Array.from({ length: pages }, (_, page) => {
    const colours = new Set<string>();
    for (let at = page * size; at < (page + 1) * size; at += channels) {
      colours.add(data.subarray(at, at + channels).join());
    }
    return [...colours];
  });
}

const EACH = [RED, GREEN, BLUE].map((colour) => [colour.join()]);

describe('frames of several pages', () => {
  it('keep their pages and times through a pipeline', async () => {
    expect(await raw(from(THREE), THREE)).toEqual(THREE);
  });

  it('are encoded as an animation of that size', async () => {
    const made = await encode(from(THREE), variant({ format: 'webp', lossless: true }), null);
    expect(made).toMatchObject({ width: 8, height: 4 });
    const found = await raw(sharp(made.data, { pages: -1 }).removeAlpha());
    expect([found.pages, coloursOf(found)]).toEqual([3, EACH]);
  });

  it('have the dominant colour of all pages together', () => {
    const blue = THREE.data.subarray(-8 * 4 * 3);
    expect(dominantColor({ ...THREE, data: Buffer.concat([THREE.data, blue]), pages: 4 })).toBe('#0000ff');
  });
});
