import { describe, expect, it } from 'vitest';
import { countDirectories, openTiff } from '../../../src/image/tiff/directory.ts';
import { exact, rendered, scratch } from '../pictures.ts';
import { type Entry, type Picture, writeTiff } from './write.ts';

const folder = scratch();

const RGB: Picture = {
  ...{ width: 40, height: 30, photometric: 2, samples: 3, bits: 8 },
  value: (x, y, sample) => (x + y + sample * 50) & 255,
};

/** Overwrites the one value of a tag in a little-endian classic TIFF. */
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

describe('a TIFF with a number that no picture has', () => {
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
    'is refused as damaged: %s samples a pixel',
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

describe('directories that overlap', () => {
  it('are counted by their pointers: nothing of their entries is read', () => {
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
    expect(countDirectories(openTiff(readAt, file.length)!)).toBe(COUNT);
    expect(read).toBeLessThan(10_000);
  });
});
