import { join } from 'node:path';
import sharp from 'sharp';
import { run } from '../run.js';

const LOOP = join(import.meta.dirname, 'plain-loop.js');

/** `sharp(file)` for each variant, as many pictures at a time as there are cores. */
export async function plain(cores) {
  return {
    name: 'plain sharp loop',
    how: '`sharp(file)` for every variant, one process, as many pictures at a time as cores',
    command: `node test/bench/peers/plain-loop.js photographs out ${cores}`,
    version: `sharp ${sharp.versions.sharp}, libvips ${sharp.versions.vips}`,
    run: async ({ folder }, out, more = []) =>
      (await run(process.execPath, [LOOP, folder, out, `${cores}`, ...more])).ms,
  };
}
