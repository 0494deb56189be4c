import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { run } from '../run.js';

const LOOP = join(import.meta.dirname, 'floor-loop.js');

/** As imgtool gives its children: pixels stay in the same pages. */
const ENVIRONMENT = {
  UV_THREADPOOL_SIZE: '2',
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: `${32 * 2 ** 20}`,
  MALLOC_TRIM_THRESHOLD_: `${128 * 2 ** 20}`,
};

/** The least that decoding once and encoding with these libraries takes: one bare loop a core. */
export function floor(cores) {
  return way(cores, 'floor', 'every variant encoded', 'each');
}

/** The same, of which variants that come out alike (those no smaller than a small picture) are encoded once. */
export function floorOnce(cores) {
  return way(cores, 'floor, alike once', 'variants of equal size encoded once and copied', 'once');
}

async function way(cores, name, how, mode) {
  return {
    name,
    how: `one decode and the encodes with sharp in a bare loop, one process a core, largest first, ${how}`,
    command: `node test/bench/peers/floor-loop.js list out ${mode}`,
    version: `sharp ${sharp.versions.sharp}, libvips ${sharp.versions.vips}, libwebp ${sharp.versions.webp}`,
    async run(corpus, out) {
      mkdirSync(out, { recursive: true });
      const deal = dealt(corpus, out);
      // One command, as every other way: the system shares its time out among such groups of processes.
      const loops = `exec 3<&0; ${'"$0" "$@" <&3 & '.repeat(cores)}wait`;
      const { ms } = await run('sh', ['-c', loops, process.execPath, LOOP, `${out}.json`, out, mode], {
        stdin: deal,
        env: ENVIRONMENT,
      });
      closeSync(deal);
      return ms;
    },
  };
}

/** A file of numbers, one a picture. Its reading position is shared by all loops, so each number is read by one. */
function dealt({ files }, out) {
  writeFileSync(`${out}.json`, JSON.stringify(files));
  const numbers = Uint32Array.from(files.keys());
  writeFileSync(`${out}.deal`, new Uint8Array(numbers.buffer));
  return openSync(`${out}.deal`, 'r');
}
