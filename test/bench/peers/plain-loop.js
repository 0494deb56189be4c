// What is written without much thought: every variant decodes the picture again. Arguments: folder, out, at a time.
import { mkdirSync, readdirSync } from 'node:fs';
import { join, parse } from 'node:path';
import sharp from 'sharp';
import { EFFORT, QUALITY, WIDTHS } from '../variants.js';

const [folder, out, atATime, lossless] = process.argv.slice(2);
const names = readdirSync(folder).filter((name) => /\.jpe?g$/i.test(name));
const format = lossless === 'lossless' ? { lossless: true, effort: 0 } : { quality: QUALITY, effort: EFFORT };

mkdirSync(out, { recursive: true });
await Promise.all(Array.from({ length: Number(atATime) }, work));

async function work() {
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    for (const [variant, width] of Object.entries(WIDTHS)) {
      await sharp(join(folder, name))
        .autoOrient()
        .resize({ width, withoutEnlargement: true })
        .webp(format)
        .toFile(join(out, `${parse(name).name}_${variant}.webp`));
    }
  }
}
