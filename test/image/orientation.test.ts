import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { difference, exact, lopsided, type Raw, rendered, rgb, scratch, shared } from './pictures.ts';
import { chunk, png } from './png-writer.ts';

const folder = scratch();
const cases = shared('cases/png-exif-after-idat');

/** The displayed position of the stored pixel (x, y), by the stored size (Exif 2.32, 4.6.4). */
const SHOWN: readonly ((x: number, y: number, w: number, h: number) => [number, number])[] = [
  (x, y) => [x, y],
  (x, y, w) => [w - 1 - x, y],
  (x, y, w, h) => [w - 1 - x, h - 1 - y],
  (x, y, _, h) => [x, h - 1 - y],
  (x, y) => [y, x],
  (x, y, _, h) => [h - 1 - y, x],
  (x, y, w, h) => [h - 1 - y, w - 1 - x],
  (x, y, w) => [y, w - 1 - x],
];

function turned({ data, width: w, height: h }: Raw, orientation: number): Raw {
  const width = orientation > 4 ? h : w;
  const out = new Uint8Array(data.length);
  for (let i = 0; i < w * h; i++) {
    const [x, y] = SHOWN[orientation - 1]!(i % w, Math.floor(i / w), w, h);
    out.set(data.slice(i * 3, i * 3 + 3), (y * width + x) * 3);
  }
  return { data: out, width, height: orientation > 4 ? w : h };
}

/** One directory with an entry before and after the orientation. */
function exif(orientation: number, order: 'II' | 'MM' = 'MM'): Buffer {
  const bytes = Buffer.alloc(8 + 2 + 3 * 12 + 4);
  const short = (value: number, at: number) =>
    order === 'II' ? bytes.writeUInt16LE(value, at) : bytes.writeUInt16BE(value, at);
  const long = (value: number, at: number) =>
    order === 'II' ? bytes.writeUInt32LE(value, at) : bytes.writeUInt32BE(value, at);
  bytes.write(order, 'latin1');
  short(42, 2);
  long(8, 4);
  short(3, 8);
  for (const [i, [tag, value]] of (
    [
      [0x100, 9],
      [0x112, orientation],
      [0x128, 2],
    ] as const
  ).entries()) {
    short(tag, 10 + i * 12);
    short(3, 12 + i * 12);
    long(1, 14 + i * 12);
    short(value, 18 + i * 12);
  }
  return bytes;
}

const app1 = (orientation: number): Buffer =>
  Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), exif(orientation, 'II')]);

/** ImageMagick's form: a name, a length, and lines of 72 digits. */
function profile(name: string, bytes: Buffer): string {
  const lines = bytes.toString('hex').replace(/(.{72})/g, '$1\n');
  return `\n${name}\n${String(bytes.length).padStart(8)}\n${lines}\n`;
}

const text = (name: string, bytes: Buffer): Buffer =>
  chunk('tEXt', Buffer.from(`Raw profile type ${name}\0${profile(name, bytes)}`, 'latin1'));

const packedText = (name: string, bytes: Buffer): Buffer =>
  chunk(
    'zTXt',
    Buffer.concat([Buffer.from(`Raw profile type ${name}\0\0`, 'latin1'), deflateSync(profile(name, bytes))]),
  );

function internationalText(name: string, bytes: Buffer, packed: boolean): Buffer {
  const content = Buffer.from(profile(name, bytes), 'latin1');
  const fields = Buffer.from(`Raw profile type ${name}\0${packed ? '\x01' : '\0'}\0en\0\0`, 'latin1');
  return chunk('iTXt', Buffer.concat([fields, packed ? deflateSync(content) : content]));
}

const UPRIGHT = lopsided(90, 60);
const stored = (before: Buffer[], behind: Buffer[], { data, width, height } = UPRIGHT): Buffer =>
  png({ data, width, height, channels: 3, bits: 8 }, before, behind);

async function expectTurned(source: Buffer, orientation: number): Promise<void> {
  const wanted = turned(UPRIGHT, orientation);
  const { picture, bytes } = await rendered(folder, source, [exact(), exact({ width: wanted.width / 2 })]);
  expect(picture).toMatchObject({ width: wanted.width, height: wanted.height });
  const [full, half] = await Promise.all(bytes.map((each) => rgb(each)));
  expect(difference(full!, wanted)).toBe(0);
  expect([half!.width, half!.height]).toEqual([wanted.width / 2, wanted.height / 2]);
  expect(difference(half!, halved(wanted))).toBeLessThan(3);
}

/** Each pixel is the mean of four. */
function halved({ data, width, height }: Raw): Raw {
  const small = { width: width / 2, height: height / 2 };
  const out = Uint8Array.from({ length: small.width * small.height * 3 }, (_, i) => {
    const [x, y] = [(Math.floor(i / 3) % small.width) * 2, Math.floor(i / 3 / small.width) * 2];
    const at = (dx: number, dy: number): number => data[((y + dy) * width + x + dx) * 3 + (i % 3)]!;
    return (at(0, 0) + at(1, 0) + at(0, 1) + at(1, 1)) / 4;
  });
  return { data: out, ...small };
}

describe('a PNG becomes upright', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('by an eXIf chunk after its pixels: %i', async (orientation) => {
    await expectTurned(stored([], [chunk('eXIf', exif(orientation))]), orientation);
  });

  it.each([2, 6, 8])('by texts with EXIF, before and after its pixels: %i', async (orientation) => {
    for (const each of [
      text('exif', app1(orientation)),
      text('APP1', app1(orientation)),
      packedText('exif', app1(orientation)),
      packedText('APP1', exif(orientation)),
      internationalText('exif', app1(orientation), false),
      internationalText('APP1', app1(orientation), true),
    ]) {
      await expectTurned(stored([each], []), orientation);
      await expectTurned(stored([], [each]), orientation);
    }
  });

  it('by its eXIf chunk rather than by a text, in any order', async () => {
    await expectTurned(stored([packedText('exif', app1(6))], [chunk('eXIf', exif(3))]), 3);
    await expectTurned(stored([chunk('eXIf', exif(8))], [packedText('exif', app1(6))]), 8);
    await expectTurned(stored([packedText('exif', app1(6))], [chunk('eXIf', exif(1))]), 1);
  });

  it('only by valid EXIF', async () => {
    for (const each of [
      chunk('eXIf', Buffer.from('MM\0*\xff\xff\xff\xff', 'latin1')),
      chunk('eXIf', exif(9)),
      chunk('eXIf', Buffer.alloc(0)),
      text('exif', Buffer.from('no exif')),
      chunk('zTXt', Buffer.from('Raw profile type exif\0\0not packed', 'latin1')),
      chunk('iTXt', Buffer.from('Raw profile type exif\0', 'latin1')),
      text('iptc', app1(6)),
    ]) {
      await expectTurned(stored([], [each]), 1);
    }
  });
});

describe('of the shared cases', () => {
  it.skipIf(cases === null)('show the portrait upright', async () => {
    const source = await readFile(join(cases!, 'portrait.png'));
    const { picture, bytes } = await rendered(folder, source, [exact()]);
    expect(picture).toMatchObject({ width: 200, height: 320 });
    expect(await rgb(bytes[0]!)).toMatchObject({ width: 200, height: 320 });
  });
});
