import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import sharp from 'sharp';

/** Small source pictures, and ways to compare them. */

interface Picture {
  readonly width?: number;
  readonly height?: number;
  /** Each seed gives a different picture. */
  readonly seed?: number;
  readonly format?: 'jpeg' | 'png' | 'webp' | 'gif' | 'tiff' | 'avif';
}

/** Coarse noise: no two seeds look alike, and no digest repeats. */
export async function picture(over: Picture = {}): Promise<Buffer> {
  const { width = 80, height = 60, seed = 1, format = 'jpeg' } = over;
  const coarse = Buffer.alloc(8 * 6 * 3);
  for (let i = 0, state = seed * 7919 + 1; i < coarse.length; i++) {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    coarse[i] = state >> 16;
  }
  const raw = { width: 8, height: 6, channels: 3 as const };
  return sharp(coarse, { raw }).resize(width, height, { fit: 'fill' }).toFormat(format).toBuffer();
}

/** Fine noise, which is slow to encode. */
export async function noise(width: number, height: number, format: 'jpeg' | 'png' = 'jpeg'): Promise<Buffer> {
  const raw = Buffer.alloc(width * height * 3);
  for (let i = 0, state = 1; i < raw.length; i++) {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    raw[i] = state >> 16;
  }
  return sharp(raw, { raw: { width, height, channels: 3 } })
    .toFormat(format)
    .toBuffer();
}

/** The same JPEG with different bytes: a comment that no viewer shows. */
export function commented(jpeg: Buffer, comment: string): Buffer {
  const text = Buffer.from(comment);
  const head = Buffer.from([0xff, 0xfe, 0, text.length + 2]);
  return Buffer.concat([jpeg.subarray(0, 2), head, text, jpeg.subarray(2)]);
}

/** Writes a source with an old modification time, so that a stat alone proves it unchanged. */
export function putOld(path: string, bytes: Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  makeOld(path);
}

export function makeOld(path: string): void {
  const then = new Date('2020-02-02T02:02:02Z');
  utimesSync(path, then, then);
}

/** Shows whether a file was written again, and the digest of its bytes. */
export function printOf(path: string): string {
  const { ino, mtimeNs, size } = statSync(path, { bigint: true });
  return `${ino} ${mtimeNs} ${size} ${hashOf(path)}`;
}

export function hashOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

export function inodeOf(path: string): number {
  return statSync(path).ino;
}

/** Mean difference of two pictures of the same size, from 0 to 255. */
export async function difference(one: string | Buffer, other: string | Buffer): Promise<number> {
  const [a, b] = await Promise.all(
    [one, other].map((each) => sharp(each).resize(32, 32, { fit: 'fill' }).removeAlpha().raw().toBuffer()),
  );
  let sum = 0;
  for (const [i, value] of a!.entries()) sum += Math.abs(value - b![i]!);
  return sum / a!.length;
}
