// A bare loop over the pictures that the numbers on standard input name. Arguments: list of pictures, folder of outputs.
import { readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { EFFORT, QUALITY, sizeOf, WIDTHS } from '../variants.js';

sharp.concurrency(1);
sharp.cache(false);

const [list, out] = process.argv.slice(2);
const files = JSON.parse(readFileSync(list, 'utf8'));
const number = Buffer.alloc(4);

while (readSync(0, number, 0, 4, null) === 4) await all(files[number.readUInt32LE()]);

/** Decodes to the largest variant's pixels once and makes all variants of them, side by side. */
async function all({ path, name }) {
  const input = sharp(path, { failOn: 'error', autoOrient: true });
  const { autoOrient: source } = await input.metadata();
  const base = sizeOf(source, WIDTHS.large);
  const { data, info } = await input.resize(fill(base)).raw().toBuffer({ resolveWithObject: true });
  await Promise.all(
    Object.entries(WIDTHS).map(([variant, width]) =>
      sharp(data, { raw: info })
        .resize(fill(sizeOf(source, width)))
        .webp({ quality: QUALITY, effort: EFFORT })
        .toFile(join(out, `${name}_${variant}.webp`)),
    ),
  );
}

function fill({ width, height }) {
  return { width, height, fit: 'fill', kernel: 'lanczos3' };
}
