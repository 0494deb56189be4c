import { describe, expect, it } from 'vitest';
import { openPicture } from '../../../src/image/picture.ts';
import { chainOf, directoryAt, openTiff, type Tiff } from '../../../src/image/tiff/directory.ts';
import { layoutOf } from '../../../src/image/tiff/layout.ts';
import { lackOf } from '../../../src/image/tiff/whole.ts';
import { exact, file, LIMITS, rendered, rgb, scratch } from '../pictures.ts';
import { type Entry, type Picture, writeTiff } from './write.ts';

const folder = scratch();

const RGB: Picture = {
  ...{ width: 40, height: 30, photometric: 2, samples: 3, bits: 8 },
  value: (x, y, sample) => (x + y + sample * 50) & 255,
};

/** Overwrites the single value of a tag in a little-endian classic TIFF. */
function withValue(file: Buffer, tag: number, type: number, write: (at: number) => void): Buffer {
  const directory = file.readUInt32LE(4);
  for (let i = 0; i < file.readUInt16LE(directory); i++) {
    const at = directory + 2 + i * 12;
    if (file.readUInt16LE(at) !== tag) continue;
    file.writeUInt16LE(type, at + 2);
    file.writeUInt32LE(1, at + 4);
    write(at + 8);
    return file;
  }
  throw new Error(`there is no tag ${tag}`);
}

describe('a TIFF with impossible numbers', () => {
  const WIDTH = 256;
  const SAMPLES = 277;
  const LONG = 4;
  const FLOAT = 11;

  it.each<[string, number, number]>([
    ['4,294,967,295 samples a pixel', SAMPLES, 0xffff_ffff],
    ['100,000,000 samples a pixel', SAMPLES, 100_000_000],
    ['4,294,967,295 columns', WIDTH, 0xffff_ffff],
  ])('is refused as damaged: %s', async (_, tag, value) => {
    const file = writeTiff(RGB);
    const bytes = withValue(file, tag, LONG, (at) => file.writeUInt32LE(value, at));
    await expect(rendered(folder, bytes, [exact()])).rejects.toMatchObject({ code: 'corrupt' });
  });

  it.each([Number.POSITIVE_INFINITY, Number.NaN, -1, 2.5])(
    'is refused as damaged with %s samples per pixel',
    async (value) => {
      const file = writeTiff(RGB);
      const bytes = withValue(file, SAMPLES, FLOAT, (at) => file.writeFloatLE(value, at));
      await expect(rendered(folder, bytes, [exact()])).rejects.toMatchObject({ code: 'corrupt' });
    },
  );

  it.each<[string, Entry]>([
    ['tiles 0 pixels wide', { tag: 322, type: 4, values: [0] }],
    ['tiles 0 pixels high', { tag: 323, type: 4, values: [0] }],
  ])('is refused as damaged: %s', async (_, entry) => {
    const bytes = writeTiff({ ...RGB, tags: [entry] });
    await expect(rendered(folder, bytes, [exact()])).rejects.toMatchObject({ code: 'corrupt' });
  });
});

describe('overlapping directories', () => {
  it('are counted by their pointers without reading their entries', () => {
    const COUNT = 300;
    const ENTRIES = 60_000;
    const step = 16;
    const file = Buffer.alloc(8 + COUNT * step + 2 + ENTRIES * 12 + 4);
    file.write('II*\0', 'latin1');
    file.writeUInt32LE(8, 4);
    for (let i = 0; i < COUNT; i++) {
      const at = 8 + i * step;
      file.writeUInt16LE(ENTRIES, at);
      file.writeUInt32LE(i + 1 < COUNT ? at + step : 0, at + 2 + ENTRIES * 12);
    }
    let read = 0;
    const readAt = (position: number, length: number): Buffer => {
      read += length;
      return file.subarray(position, position + length);
    };
    expect([...chainOf(openTiff(readAt, file.length)!)]).toHaveLength(COUNT);
    expect(read).toBeLessThan(10_000);
  });
});

const FLOAT_GREY: Picture = {
  ...{ width: 100, height: 100, photometric: 1, samples: 1, bits: 32, format: 'float', packing: 'deflate' },
  value: (x) => x / 255,
};

describe('a TIFF with a tile much larger than its picture', () => {
  const tile = (picture: Picture, width: number, height: number): Buffer => {
    const bytes = writeTiff({ ...picture, tile: 16 });
    withValue(bytes, 322, 4, (at) => bytes.writeUInt32LE(width, at));
    return withValue(bytes, 323, 4, (at) => bytes.writeUInt32LE(height, at));
  };

  it.each<[string, Picture]>([
    ['floats', FLOAT_GREY],
    ['8 bits', RGB],
  ])('is refused before the tile is decompressed: %s', async (_, picture) => {
    const opened = (width: number, height: number) =>
      openPicture(file(folder, tile(picture, width, height)), LIMITS);
    await expect(opened(16_384, 16_384)).rejects.toMatchObject({
      code: 'too_large',
      message: 'a tile of 16,384 x 16,384 px is over the limit of 16.8 Mpx',
      fix: 'save it in smaller tiles or in strips',
    });
    await expect(opened(2_000_000_000, 16)).rejects.toMatchObject({ code: 'too_large' });
  });

  it('is refused when the tile exceeds the limit of pixels', async () => {
    const limits = { ...LIMITS, pixels: 20_000 };
    const opened = (side: number) => openPicture(file(folder, tile(FLOAT_GREY, side, side)), limits);
    await expect(opened(144)).rejects.toMatchObject({ code: 'too_large' });
  });

  it('is read with the right pixels when the tile is small', async () => {
    const { bytes } = await rendered(folder, writeTiff({ ...FLOAT_GREY, tile: 512 }), [exact()]);
    const { data, width } = await rgb(bytes[0]!);
    expect([...data].every((sample, i) => sample === Math.floor(i / 3) % width)).toBe(true);
  });
});

describe('the estimated memory of a TIFF', () => {
  const memory = async (picture: Picture) =>
    (await openPicture(file(folder, writeTiff({ ...FLOAT_GREY, ...picture, value: () => 0 })), LIMITS)).facts
      .memory;

  it('includes the largest strip or tile after decompression', async () => {
    const size = { ...FLOAT_GREY, width: 1000, height: 500 };
    const one = await memory({ ...size, rowsPerStrip: 500 });
    const many = await memory({ ...size, rowsPerStrip: 1 });
    expect(one - many).toBeGreaterThan(1000 * 499 * 4 - 50_000);
    const tiled = await memory({ ...size, tile: 1024 });
    expect(tiled - many).toBeGreaterThan(1024 * 1024 * 4 - 50_000);
  });

  it('includes the strips of all planes, which are decompressed together', async () => {
    const size = { ...FLOAT_GREY, width: 1000, height: 500, photometric: 2, samples: 3, planar: true };
    const one = await memory({ ...size, rowsPerStrip: 500 });
    const many = await memory({ ...size, rowsPerStrip: 1 });
    expect(one - many).toBeGreaterThan(1000 * 499 * 4 * 3 - 150_000);
  });
});

/** Counts the bytes read from a file. */
function counted(bytes: Buffer): { tiff: Tiff; read: () => number } {
  let read = 0;
  const readAt = (position: number, length: number): Buffer => {
    const part = bytes.subarray(position, position + length);
    read += part.length;
    return part;
  };
  return { tiff: openTiff(readAt, bytes.length)!, read: () => read };
}

describe('a TIFF that refers to the same bytes many times', () => {
  it('is read once when many strips that end in zeros overlap', () => {
    const bytes = Buffer.concat([writeTiff({ ...RGB, packing: 'packbits' }), Buffer.alloc(100_000)]);
    const { tiff, read } = counted(bytes);
    const layout = layoutOf(directoryAt(tiff, tiff.first)!)!;
    const STRIPS = 2000;
    const strips = Array.from({ length: STRIPS }, (_, i) => {
      const at = bytes.length - 90_000 - i;
      return { at, length: bytes.length - at };
    });
    const tall = { ...layout, height: STRIPS, segmentHeight: 1, segments: STRIPS };
    expect(lackOf(tiff, tall, strips)).toBeNull();
    expect(read()).toBeLessThan(3 * bytes.length);
  });

  it('is read once when many strips share bytes', () => {
    const bytes = Buffer.concat([writeTiff({ ...RGB, packing: 'packbits' }), Buffer.alloc(1000)]);
    const { tiff, read } = counted(bytes);
    const layout = layoutOf(directoryAt(tiff, tiff.first)!)!;
    const STRIPS = 2000;
    const strips = Array.from({ length: STRIPS }, () => ({ at: bytes.length - 500, length: 500 }));
    const tall = { ...layout, height: STRIPS, segmentHeight: 1, segments: STRIPS };
    expect(lackOf(tiff, tall, strips)).toBeNull();
    expect(read()).toBeLessThan(STRIPS * 4 + 2000);
  });

  it('costs one value when a tag has many and only the first is needed', () => {
    const values = Array.from({ length: 10_000 }, (_, i) => i);
    const { tiff, read } = counted(writeTiff({ ...RGB, tags: [{ tag: 65_000, type: 4, values }] }));
    const directory = directoryAt(tiff, tiff.first)!;
    expect(directory.has(65_000)).toBe(true);
    const before = read();
    expect(directory.number(65_000)).toBe(0);
    expect(directory.numbers(65_000, 3)).toEqual([0, 1, 2]);
    expect(read() - before).toBe(4 + 12);
  });
});
