// A bare loop over the pictures that the numbers on standard input name. Arguments: list of pictures, folder of
// outputs, and whether to encode `each` variant or `once` what comes out alike.
import { copyFileSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { EFFORT, QUALITY, sizeOf, WIDTHS } from '../variants.js';

sharp.concurrency(1);
sharp.cache(false);

const [list, out, mode] = process.argv.slice(2);
const files = JSON.parse(readFileSync(list, 'utf8'));
const number = Buffer.alloc(4);

while (readSync(0, number, 0, 4, null) === 4) await all(files[number.readUInt32LE()]);

/** Decodes to the largest variant's pixels once and makes all variants of them, side by side. */
async function all({ path, name }) {
  const input = sharp(path, { failOn: 'error', autoOrient: true });
  const { autoOrient: source } = await input.metadata();
  const base = sizeOf(source, WIDTHS.large);
  const { data, info } = await input.resize(fill(base)).raw().toBuffer({ resolveWithObject: true });
  const bySize = new Map();
  for (const [variant, width] of Object.entries(WIDTHS)) {
    const size = sizeOf(source, width);
    const key = mode === 'once' ? size.width : variant;
    const path = join(out, `${name}_${variant}.webp`);
    if (bySize.has(key)) bySize.get(key).paths.push(path);
    else bySize.set(key, { size, paths: [path] });
  }
  await Promise.all([...bySize.values()].map((one) => encode(data, info, one)));
}

async function encode(data, info, { size, paths: [path, ...others] }) {
  await sharp(data, { raw: info }).resize(fill(size)).webp({ quality: QUALITY, effort: EFFORT }).toFile(path);
  for (const other of others) copyFileSync(path, other);
}

function fill({ width, height }) {
  return { width, height, fit: 'fill', kernel: 'lanczos3', fastShrinkOnLoad: false };
}
