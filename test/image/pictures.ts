/** Small pictures and helpers for the tests of this folder. */
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, expect } from 'vitest';
import { openPicture } from '../../src/image/picture.ts';
import type { Limits, SourceFile, Variant } from '../../src/model.ts';
import { fullVariant } from '../../src/variants/fields.ts';

export const LIMITS: Limits = { pixels: 268_000_000, allowSvg: false, lenient: false, timeout: 120_000 };

export function variant(changes: Partial<Variant> = {}): Variant {
  return { ...fullVariant({ name: 'large', width: 1200, effort: 0 }), ...changes };
}

/** A variant that leaves pixels unchanged. */
export const exact = (changes: Partial<Variant> = {}): Variant =>
  variant({ width: 4000, format: 'png', lossless: true, effort: 1, ...changes });

/** A temporary folder for the test file. */
export function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'imgtool-test-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A folder of the project's shared pictures. Without it, prints a note and returns null. */
export function shared(name: string): string | null {
  const folder = fileURLToPath(new URL(`../../../shared/${name}`, import.meta.url));
  if (existsSync(folder)) return folder;
  console.warn(`not read, since it is not there: ${folder}`);
  return null;
}

let files = 0;

export function file(folder: string, bytes: Uint8Array | string, name = `${files++}.bin`): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** A source file that the user named. */
export const named = (path: string): SourceFile => ({ path, bounds: null });

/** Renders in this process. Returns the outputs' bytes and facts. */
export async function rendered(
  folder: string,
  source: Uint8Array | string,
  variants: Variant[],
  limits = LIMITS,
) {
  const path = typeof source === 'string' ? source : file(folder, source);
  const picture = await openPicture(path, limits, variants);
  const orders = variants.map((each) => ({ variant: each, path: join(folder, `${files++}.tmp`) }));
  const result = await picture.render(orders);
  const bytes = await Promise.all(orders.map((order) => readFile(order.path)));
  return { picture: picture.facts, result, bytes };
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export interface Raw {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** RGB pixels of an encoded picture, at its own size or resized to a square. */
export async function rgb(bytes: Uint8Array, square?: number): Promise<Raw> {
  const picture = sharp(bytes).removeAlpha().toColourspace('srgb');
  const sized = square === undefined ? picture : picture.resize(square, square, { fit: 'fill' });
  const { data, info } = await sized.raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

/** Mean difference between the bytes of two pictures, 0 to 255. */
export function difference(a: Raw, b: Raw): number {
  return a.data.reduce((sum, byte, i) => sum + Math.abs(byte - b.data[i]!), 0) / a.data.length;
}

/** A picture of one colour. */
export const plain = (
  width: number,
  height: number,
  background: string | { r: number; g: number; b: number; alpha: number },
) => sharp({ create: { width, height, channels: typeof background === 'string' ? 3 : 4, background } });

/** A gradient with a bright corner: it differs from all its rotations and mirror images. */
export function lopsided(width: number, height: number): Raw {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const x = Math.floor(i / 3) % width;
    const y = Math.floor(i / 3 / width);
    const corner = x < width / 3 && y < height / 3;
    return [corner ? 255 : (x / width) * 200, corner ? 240 : (y / height) * 200, corner ? 0 : 90][i % 3]!;
  });
  return { data, width, height };
}

export const encoded = ({ data, width, height }: Raw) => sharp(data, { raw: { width, height, channels: 3 } });

/** The uniform colour at the centre of an output. */
export async function colour(bytes: Uint8Array): Promise<number[]> {
  const { data, width, height } = await rgb(bytes);
  const middle = (Math.floor(height / 2) * width + Math.floor(width / 2)) * 3;
  return [...data.slice(middle, middle + 3)];
}

export const near = (expected: number[], within = 3) =>
  expected.map((n) => expect.toSatisfy((found: number) => Math.abs(found - n) <= within, `${n} ± ${within}`));
