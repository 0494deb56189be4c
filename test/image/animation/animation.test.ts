import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { gifAnimation } from '../../../src/image/animation/gif.ts';
import { webpAnimation } from '../../../src/image/animation/webp.ts';
import { riffChunk, webpFile } from '../../../src/image/webp.ts';
import type { Variant } from '../../../src/model.ts';
import { LIMITS, rendered, scratch, variant } from '../pictures.ts';
import { CASES, ramp, waves } from './cases.ts';
import { type Gif, type GifFrame, shownIn, writeGif } from './gif-frames.ts';

const folder = scratch();

const moving = (changes: Partial<Variant> = {}): Variant => variant({ width: null, ...changes });
const lossless = (changes: Partial<Variant> = {}): Variant =>
  moving({ lossless: true, quality: 100, ...changes });
const asGif = (changes: Partial<Variant> = {}): Variant => moving({ format: 'gif', effort: 7, ...changes });

/** The frames of an encoded animation with the times at which they end. */
async function played(bytes: Uint8Array) {
  const { delay = [], loop, pages = 1 } = await sharp(bytes, { pages: -1 }).metadata();
  const { data, info } = await sharp(bytes, { pages: -1 })
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const size = data.length / pages;
  const frames = Array.from({ length: pages }, (_, i) => data.subarray(i * size, (i + 1) * size));
  let time = 0;
  const ends = delay.map((each) => (time += each));
  return { frames, ends, loop, width: info.width, height: info.height / pages };
}

/** The largest difference of a shown colour, or 255 where one pixel is transparent and the other is not. */
function distance(one: Buffer, other: Buffer): number {
  let most = one.length === other.length ? 0 : 255;
  for (let i = 0; i < one.length; i += 4) {
    if (one[i + 3] !== other[i + 3]) most = 255;
    if (one[i + 3] === 0) continue;
    for (let j = i; j < i + 3; j++) most = Math.max(most, Math.abs(one[j]! - other[j]!));
  }
  return most;
}

/** When each frame ends in a browser, in milliseconds. */
function endsOf({ frames }: Gif): number[] {
  let time = 0;
  return frames.map(({ delay = 0 }) => (time += (delay || 10) * 10));
}

const playsOf = ({ repeats }: Gif): number => (repeats === undefined ? 1 : repeats === 0 ? 0 : repeats + 1);

describe.each(Object.entries(CASES))('an animation that %s', (_, gif) => {
  it('shows the same frames at the same times in WebP and GIF', async () => {
    const { bytes } = await rendered(folder, writeGif(gif), [lossless(), asGif()]);
    const ends = endsOf(gif);
    const shown = shownIn(gif);
    for (const [i, most] of [0, 3].entries()) {
      const { frames, ends: found, loop } = await played(bytes[i]!);
      expect(loop).toBe(playsOf(gif));
      expect(found.at(-1)).toBe(ends.at(-1));
      const distances = ends.map((end, at) => {
        const there = frames[found.findIndex((each) => each >= end)]!;
        return distance(there, shown[at]!);
      });
      expect(Math.max(...distances)).toBeLessThanOrEqual(most);
      // A WebP joins equal frames.
      if (i === 1) expect(found).toEqual(ends);
    }
  });
});

/** Two frames: one black, one with a white edge on the side where the other frame would follow. */
const EDGES: Gif = {
  ...{
    width: 40,
    height: 40,
    colours: [
      [0, 0, 0],
      [255, 255, 255],
    ],
    repeats: 0,
  },
  frames: [0, 1, 0].map((pixel) => ({
    width: 40,
    height: 40,
    pixels: Array<number>(1600).fill(pixel),
    delay: 5,
  })),
};

describe('each frame of an animation', () => {
  it.each<[string, Partial<Variant>]>([
    ['resized', { width: 13 }],
    ['enlarged', { width: 90, enlarge: true }],
    ['resized in linear light', { width: 13, linear: true }],
    ['cut', { width: 11, height: 23, fit: 'cover' }],
    ['sharpened', { width: 20, sharpen: true }],
    ['sharpened without being resized', { sharpen: true }],
    ['distorted', { width: 17, height: 11, fit: 'fill' }],
    ['cropped and sharpened', { crop: [3, 5, 30, 31], width: 10, sharpen: true }],
    ['grey', { width: 13, grayscale: true, sharpen: true }],
  ])('has no trace of its neighbours when it is %s', async (_, changes) => {
    const { bytes } = await rendered(folder, writeGif(EDGES), [lossless(changes)]);
    const { frames } = await played(bytes[0]!);
    expect(frames).toHaveLength(3);
    for (const [i, value] of [0, 255, 0].entries()) {
      expect([...new Set(frames[i]!)].sort()).toEqual([...new Set([value, 255])].sort());
    }
  });

  it('lies on its canvas, sharpened, without a trace of its neighbours', async () => {
    const changes = { width: 30, height: 20, fit: 'contain', background: '#ff0000', sharpen: true } as const;
    const { bytes } = await rendered(folder, writeGif(EDGES), [lossless(changes)]);
    const { frames, width, height } = await played(bytes[0]!);
    expect([width, height, frames.length]).toEqual([30, 20, 3]);
    for (const [i, value] of [0, 255, 0].entries()) {
      const pixels = Array.from({ length: 600 }, (_, at) => [...frames[i]!.subarray(at * 4, at * 4 + 3)]);
      pixels.forEach((pixel, at) => {
        const isPicture = at % 30 >= 5 && at % 30 < 25;
        expect(pixel).toEqual(isPicture ? [value, value, value] : [255, 0, 0]);
      });
    }
  });

  it('is trimmed to one box around the content of all frames', async () => {
    const spot = (left: number, top: number): GifFrame => {
      const pixels = Array.from({ length: 1600 }, (_, i) =>
        i % 40 === left && Math.floor(i / 40) === top ? 1 : 0,
      );
      return { width: 40, height: 40, pixels, delay: 5 };
    };
    const gif = { ...EDGES, frames: [spot(10, 20), EDGES.frames[0]!, spot(30, 8)] };
    const { result } = await rendered(folder, writeGif(gif), [lossless({ trim: true })]);
    expect(result.outputs[0]).toMatchObject({ width: 21, height: 13 });
  });

  it('has the same part when the content decides on it', async () => {
    // The spot moves, and the picture must not move with it.
    const gif = {
      ...CASES['plays without end']!,
      frames: [0, 2, 4].map((phase) => waves(60, 40, 16, phase)),
    };
    const wanted = [lossless({ width: 20, height: 40, fit: 'cover', position: 'attention' })];
    const { bytes } = await rendered(folder, writeGif(gif), wanted);
    const { frames } = await played(bytes[0]!);
    const shown = shownIn(gif);
    const columns = Array.from({ length: 41 }, (_, left) => left).filter((left) =>
      frames.every((frame, i) =>
        Array.from({ length: 40 }, (_, y) => y).every((y) => {
          const row = shown[i]!.subarray((y * 60 + left) * 4, (y * 60 + left + 20) * 4);
          return frame.subarray(y * 80, y * 80 + 80).equals(row);
        }),
      ),
    );
    expect(columns).toHaveLength(1);
  });
});

describe('the frames of an animated WebP', () => {
  it('are read with their places, their transparency and their times', async () => {
    const gif = CASES['has all disposals']!;
    const { bytes } = await rendered(folder, writeGif(gif), [lossless()]);
    const again = await rendered(folder, bytes[0]!, [lossless(), asGif()]);
    const first = await played(bytes[0]!);
    for (const [i, most] of [0, 3].entries()) {
      const { frames, ends, loop } = await played(again.bytes[i]!);
      expect([ends, loop]).toEqual([first.ends, first.loop]);
      expect(Math.max(...frames.map((frame, at) => distance(frame, first.frames[at]!)))).toBeLessThanOrEqual(
        most,
      );
    }
  });
});

describe('other outputs of an animation', () => {
  it('have the first frame, also beside outputs that move', async () => {
    const gif = CASES['keeps its frames']!;
    const still = { width: null, lossless: true, quality: 100 } as const;
    const wanted = [
      variant({ ...still, format: 'png', effort: 1 }),
      lossless({ animated: 'first' }),
      lossless(),
      asGif({ animated: 'first' }),
    ];
    const { bytes } = await rendered(folder, writeGif(gif), wanted);
    const [first] = shownIn(gif);
    const all = await Promise.all(bytes.map(played));
    expect(all.map(({ frames }) => frames.length)).toEqual([1, 1, 6, 1]);
    for (const { frames } of all) expect(distance(frames[0]!, first!)).toBeLessThanOrEqual(3);
  });
});

describe('an animation that is too large', () => {
  const many = (count: number): Gif => ({
    ...{ width: 2, height: 2, colours: ramp(4), repeats: 0 },
    frames: Array.from({ length: count }, (_, i) => ({ width: 1, height: 1, pixels: [i % 4], delay: 5 })),
  });

  it('is refused by the number of its frames, unless only the first one is used', async () => {
    const bytes = writeGif(many(501));
    await expect(rendered(folder, bytes, [lossless()])).rejects.toMatchObject({
      code: 'too_many_frames',
      message: '501 frames are over the limit of 500',
      fix: expect.stringContaining('animated=first'),
    });
    const stills = [lossless({ animated: 'first' }), variant({ width: null, format: 'jpeg' })];
    const { result, picture } = await rendered(folder, bytes, stills);
    expect(picture.pages).toBe(501);
    expect(result.outputs.map(({ width, height }) => [width, height])).toEqual([
      [2, 2],
      [2, 2],
    ]);
  });

  const empty = () => riffChunk('ANMF', Buffer.alloc(24));

  it.each([
    ['GIF', gifAnimation, writeGif(many(501))],
    ['WebP', webpAnimation, webpFile(Buffer.alloc(10), [...Array(501)].map(empty), {})],
  ])('has no more than the wanted frames in memory, as a %s', (_, read, bytes) => {
    const { frames, count } = read(bytes, 3);
    expect([frames.length, count]).toEqual([3, 501]);
  });

  it('is refused by the pixels of all frames, before any is decoded', async () => {
    const limits = { ...LIMITS, pixels: 1999 };
    await expect(rendered(folder, writeGif(many(500)), [lossless()], limits)).rejects.toMatchObject({
      code: 'too_large',
      message: '500 frames of 2 x 2 px are over the limit of 0 Mpx',
      fix: expect.stringMatching(/animated=first.*\{\{limitPixels 1M\}\}/),
    });
    const { result } = await rendered(folder, writeGif(many(500)), [lossless({ animated: 'first' })], limits);
    expect(result.outputs).toHaveLength(1);
  });
});

describe('a damaged animation', () => {
  const bytes = writeGif(CASES['plays without end']!);
  const cut = bytes.subarray(0, Math.floor(bytes.length * 0.9));

  it('is refused, or shows what can be read when that is accepted', async () => {
    await expect(rendered(folder, cut, [lossless()])).rejects.toMatchObject({ code: 'corrupt' });
    const { bytes: made, result } = await rendered(folder, cut, [lossless()], { ...LIMITS, lenient: true });
    expect(result.degraded).toBe(true);
    const { frames } = await played(made[0]!);
    const shown = shownIn(CASES['plays without end']!);
    expect(frames).toHaveLength(4);
    expect(frames.slice(0, 3).map((frame, i) => distance(frame, shown[i]!))).toEqual([0, 0, 0]);
  });
});
