import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { COLOURS, type Frame, gif } from './gif-writer.ts';
import { exact, LIMITS, rendered, scratch, shared } from './pictures.ts';

const folder = scratch();
const cases = shared('cases/alpha-and-canvas');

const RED: Frame = { left: 10, top: 5, width: 30, height: 20, colour: 1 };

interface Rgba {
  readonly data: Buffer;
  readonly width: number;
  readonly height: number;
}

async function shown(source: Buffer, width = 4000): Promise<Rgba> {
  const { bytes, picture } = await rendered(folder, source, [exact({ width })]);
  const { data, info } = await sharp(bytes[0]!).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  if (width === 4000) expect(picture).toMatchObject({ width: info.width, height: info.height });
  return { data, width: info.width, height: info.height };
}

/** Expects one colour inside the frame and transparency elsewhere. */
function expectOnScreen({ data, width, height }: Rgba, frame: Frame): void {
  const colour = [...COLOURS[frame.colour]!, 255];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const isInside =
        x >= frame.left && x < frame.left + frame.width && y >= frame.top && y < frame.top + frame.height;
      const at = (y * width + x) * 4;
      const found = [...data.subarray(at, at + 4)];
      if (isInside) expect(found).toEqual(colour);
      else expect(found[3]).toBe(0);
    }
  }
}

describe('a GIF with a first frame that does not cover the screen', () => {
  it('is transparent outside the frame', async () => {
    const found = await shown(gif(60, 40, [RED]));
    expect([found.width, found.height]).toEqual([60, 40]);
    expectOnScreen(found, RED);
  });

  it('is transparent outside the frame with any background colour, and when later frames cover that area', async () => {
    const whole = { left: 0, top: 0, width: 60, height: 40, colour: 2 };
    expectOnScreen(await shown(gif(60, 40, [RED, whole], 3)), RED);
  });

  it('is transparent outside the frame when a colour of this or a later frame is transparent', async () => {
    expectOnScreen(await shown(gif(60, 40, [{ ...RED, transparent: 4 }])), RED);
    expectOnScreen(await shown(gif(60, 40, [RED, { ...RED, transparent: 4 }])), RED);
  });

  it('grows to contain a first frame that is partly outside', async () => {
    const frame = { ...RED, left: 50, top: 30 };
    const found = await shown(gif(60, 40, [frame]));
    expect([found.width, found.height]).toEqual([80, 50]);
    expectOnScreen(found, frame);
  });

  // libnsgif treats these as mistakes, and ignores them.
  it.each([
    [640, 480],
    [800, 600],
    [2100, 40],
  ])('keeps a screen of %d x %d', async (width, height) => {
    const frame = { left: 100, top: 10, width: 200, height: 20, colour: 3 };
    const found = await shown(gif(width, height, [frame]));
    expect([found.width, found.height]).toEqual([width, height]);
    expect([...found.data.subarray((15 * width + 150) * 4).subarray(0, 4)]).toEqual([0, 0, 255, 255]);
    expect(found.data.filter((byte, i) => i % 4 === 3 && byte === 255)).toHaveLength(200 * 20);
  });

  it('loses its screen when the frame is empty or the screen exceeds the limit of pixels', async () => {
    const dot = { left: 0, top: 0, width: 1, height: 1, colour: 1 };
    expect(await shown(gif(16_383, 16_383, [dot]))).toMatchObject({ width: 1, height: 1 });
    const limits = { ...LIMITS, pixels: 100_000 };
    const { picture } = await rendered(folder, gif(800, 600, [RED]), [exact()], limits);
    expect(picture).toMatchObject({ width: 40, height: 25 });
  });

  it('has no black edges when scaled down', async () => {
    const { data } = await shown(gif(60, 40, [RED]), 17);
    for (let at = 0; at < data.length; at += 4) {
      if (data[at + 3]! > 8) expect(data[at]).toBeGreaterThan(240);
    }
  });
});

describe('a GIF with a first frame that covers its screen', () => {
  const cover = { left: 0, top: 0, width: 60, height: 40, colour: 2 };

  it('stays opaque', async () => {
    expectOnScreen(await shown(gif(60, 40, [cover])), cover);
    const { bytes } = await rendered(folder, gif(60, 40, [cover]), [exact()]);
    expect((await sharp(bytes[0]!).metadata()).hasAlpha).toBe(false);
  });

  const second = (from: Buffer): number => from.lastIndexOf(Buffer.from([0x2c, 0, 0, 0, 0]));
  const ODD: readonly (readonly [string, (bytes: Buffer) => Buffer])[] = [
    [
      'has other data after the frame',
      (bytes) => Buffer.from(bytes).fill(0x99, second(bytes), second(bytes) + 1),
    ],
    [
      'has a frame of impossible codes after the frame',
      (bytes) => Buffer.from(bytes).fill(30, second(bytes) + 10, second(bytes) + 11),
    ],
    [
      'has an empty frame after the frame',
      (bytes) => Buffer.from(bytes).fill(0, second(bytes) + 5, second(bytes) + 9),
    ],
    [
      'has a frame outside of the screen after the frame',
      (bytes) => Buffer.from(bytes).fill(0x7f, second(bytes) + 1, second(bytes) + 5),
    ],
    ['has no end', (bytes) => bytes.subarray(0, -1)],
  ];

  it.each(ODD)('is read when it %s', async (_, changed) => {
    expectOnScreen(await shown(changed(gif(60, 40, [cover, { ...cover, colour: 1 }]))), cover);
  });
});

describe('of the shared cases', () => {
  it.skipIf(cases === null)('include a GIF that shows only its frame', async () => {
    const { data, width } = await shown(await readFile(join(cases!, 'gif-partial-first-frame.gif')));
    const opaque = [...data.keys()].filter((i) => i % 4 === 3 && data[i] === 255).map((i) => (i - 3) / 4);
    expect(opaque).toHaveLength(60 * 40);
    expect([opaque[0]! % width, Math.floor(opaque[0]! / width)]).toEqual([50, 30]);
    expect(data.filter((byte, i) => i % 4 === 3 && byte === 0)).toHaveLength(200 * 120 - 60 * 40);
  });
});
