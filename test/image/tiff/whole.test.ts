import sharp, { type TiffOptions } from 'sharp';
import { describe, expect, it } from 'vitest';
import { exact, LIMITS, rendered, scratch } from '../pictures.ts';
import { type Picture, writeTiff } from './write.ts';

const folder = scratch();
const LENIENT = { ...LIMITS, lenient: true };

/** Noise over a gradient: no part of it compresses to almost nothing. */
const noise = (x: number, y: number, sample: number): number =>
  (x + y * 2 + sample * 40 + (((x * 7919 + y * 104_729 + sample * 31) * 2_654_435_761) % 97)) & 255;

const WIDTH = 300;
const HEIGHT = 200;
const RGB: Picture = { width: WIDTH, height: HEIGHT, photometric: 2, samples: 3, bits: 8, value: noise };

const pixels = () =>
  Buffer.from(
    Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => {
      const at = Math.floor(i / 3);
      return noise(at % WIDTH, Math.floor(at / WIDTH), i % 3);
    }),
  );

const byVips = (options: TiffOptions): Promise<Buffer> =>
  sharp(pixels(), { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
    .tiff({ quality: 90, ...options })
    .toBuffer();

/** A classic little-endian TIFF with its directory and values before its pixels. */
function directoryFirst(file: Buffer): Buffer {
  const at = file.readUInt32LE(4);
  const count = file.readUInt16LE(at);
  const table = Buffer.from(file.subarray(at, at + 2 + count * 12 + 4));
  table.writeUInt32LE(0, table.length - 4);
  const values: Buffer[] = [];
  let end = 8 + table.length;
  const sizes: Record<number, number> = { 3: 2, 4: 4, 5: 8, 9: 4, 10: 8, 11: 4, 12: 8 };
  const offsets: (() => void)[] = [];
  for (let i = 0; i < count; i++) {
    const entry = 2 + i * 12;
    const [tag, type, number] = [
      table.readUInt16LE(entry),
      table.readUInt16LE(entry + 2),
      table.readUInt32LE(entry + 4),
    ];
    const length = number * (sizes[type] ?? 1);
    const isInline = length <= 4;
    const value = isInline
      ? table.subarray(entry + 8, entry + 8 + length)
      : Buffer.from(file.subarray(table.readUInt32LE(entry + 8)).subarray(0, length));
    if (!isInline) {
      table.writeUInt32LE(end, entry + 8);
      values.push(value, Buffer.alloc(length % 2));
      end += length + (length % 2);
    }
    if (tag === 273 || tag === 324)
      offsets.push(() => {
        for (let j = 0; j < length; j += 4) value.writeUInt32LE(value.readUInt32LE(j) + end - 8, j);
      });
  }
  for (const shift of offsets) shift();
  const head = Buffer.from('II*\0\x08\0\0\0', 'latin1');
  return Buffer.concat([head, table, ...values, file.subarray(8)]);
}

const PACKINGS = ['none', 'lzw', 'deflate', 'packbits', 'jpeg', 'webp'] as const;
const LAYOUTS = PACKINGS.flatMap((packing) =>
  [false, true].flatMap((tiled) => [false, true].map((front) => ({ packing, tiled, front }))),
);

async function written({ packing, tiled, front }: (typeof LAYOUTS)[number]): Promise<Buffer> {
  if (packing === 'jpeg' || packing === 'webp') {
    const file = await byVips({ compression: packing, tile: tiled, tileWidth: 64, tileHeight: 64 });
    return front ? directoryFirst(file) : file;
  }
  return writeTiff({ ...RGB, packing, tile: tiled ? 64 : null, directoryFirst: front });
}

const attempt = (bytes: Buffer, limits = LIMITS) => rendered(folder, bytes, [exact()], limits);
const PARTS = [0.3, 0.6, 0.9, 0.99];

describe('a TIFF', () => {
  it.each(LAYOUTS)(
    'is refused when truncated, and degraded or refused with lenient: %o',
    { timeout: 60_000 },
    async (layout) => {
      const whole = await written(layout);
      expect(whole.length).toBeGreaterThan(20_000);
      expect((await attempt(whole)).result.degraded).toBe(false);
      for (const part of PARTS) {
        const cut = whole.subarray(0, Math.floor(whole.length * part));
        await expect(attempt(cut), `${part}`).rejects.toMatchObject({ code: 'corrupt' });
        const lenient = await attempt(cut, LENIENT).catch((error: unknown) => error);
        if (lenient instanceof Error) expect(lenient, `${part}`).toMatchObject({ code: 'corrupt' });
        else expect(lenient, `${part}`).toMatchObject({ result: { degraded: true } });
      }
    },
  );

  it.each(LAYOUTS.filter(({ packing, front }) => front && packing !== 'none'))(
    'is refused when its pixels end in zeros: %o',
    { timeout: 60_000 },
    async (layout) => {
      const whole = await written(layout);
      // A WebP without its last part decodes to other pixels without an error.
      for (const part of layout.packing === 'webp' ? PARTS.slice(0, 3) : PARTS) {
        const holed = Buffer.from(whole).fill(0, Math.floor(whole.length * part));
        await expect(attempt(holed), `${part}`).rejects.toMatchObject({ code: 'corrupt' });
      }
    },
  );

  it('is refused with its actual and expected bytes when truncated', async () => {
    const whole = writeTiff({ ...RGB, directoryFirst: true });
    await expect(attempt(whole.subarray(0, 100_000))).rejects.toMatchObject({
      message: `the picture is damaged or cut short (the file ends after 100,000 of ${whole.length.toLocaleString('en')} bytes)`,
      fix: expect.stringContaining('{{lenient}}'),
    });
  });
});
