import { ask } from '../run.js';
import { EFFORT, QUALITY, WIDTHS } from '../variants.js';
import { STEM, xargs } from './xargs.js';

/** It makes one size at a time. */
export function vipsthumbnail(cores) {
  const how = 'a call for each picture and variant, with its own threads';
  return way('vipsthumbnail', how, (format) =>
    xargs(calls(WIDTHS, format, '"$1"').join(' && '), { atATime: cores }),
  );
}

/** Without the start of a call for each, and without threads that get into each other's way. */
export function vipsthumbnailOfSeveral(cores) {
  const how = 'a call for each variant of four pictures, one thread each';
  return way('vipsthumbnail, several a call', how, (format) =>
    xargs(calls(WIDTHS, format, '"$@"').join(' && '), { atATime: cores, each: 4, env: ONE_THREAD }),
  );
}

/** Decoding once: to the large variant's pixels in a file of libvips' own, and from that to all. */
export function vipsthumbnailTuned(cores) {
  const { large, ...smaller } = WIDTHS;
  const how = 'decoded once to an uncompressed file of the large size, one thread each';
  return way('vipsthumbnail, tuned', how, (format) => {
    const script = [
      `${STEM} vipsthumbnail -s "${large}x>" -o "$n.v" "$1"`,
      `vips copy "$n.v" "$n"_large.webp"${format}"`,
      ...calls(smaller, format, '"$n.v"'),
      'rm "$n.v"',
    ];
    return xargs(script.join(' && '), { atATime: cores, env: ONE_THREAD });
  });
}

const ONE_THREAD = { VIPS_CONCURRENCY: '1' };

function calls(widths, format, from) {
  return Object.entries(widths).map(
    ([variant, width]) => `vipsthumbnail -s "${width}x>" -o "$OUT/%s_${variant}.webp${format}" ${from}`,
  );
}

async function way(name, how, made) {
  const version = await ask('vipsthumbnail', ['--vips-version'], /vips[- ](\d+\.\d+\.\d+)/);
  if (version === null) return { missing: `${name} (not on PATH)` };
  const [major, minor] = version.split('.').map(Number);
  const bare = major > 8 || minor >= 15 ? 'keep=none' : 'strip';
  return { name, how, version: `libvips ${version}`, ...made(`[Q=${QUALITY},effort=${EFFORT},${bare}]`) };
}
