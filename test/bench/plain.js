// What is written without much thought: every variant decodes the picture again. Arguments: folder, out, at a time.
import { mkdirSync, readdirSync } from 'node:fs';
import { join, parse } from 'node:path';
import sharp from 'sharp';

const [folder, out, atATime] = process.argv.slice(2);
const WIDTHS = { thumbnail: 150, medium: 600, large: 1200 };
const names = readdirSync(folder).filter((name) => /\.jpe?g$/i.test(name));

mkdirSync(out, { recursive: true });
const started = performance.now();
await Promise.all(Array.from({ length: Number(atATime) }, work));
process.stdout.write(`${Math.round(performance.now() - started)}\n`);

async function work() {
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    for (const [variant, width] of Object.entries(WIDTHS)) {
      await sharp(join(folder, name))
        .autoOrient()
        .resize({ width, withoutEnlargement: true })
        .webp({ quality: 85 })
        .toFile(join(out, `${parse(name).name}_${variant}.webp`));
    }
  }
}
