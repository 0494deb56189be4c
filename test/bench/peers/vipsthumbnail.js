import { ask } from '../run.js';
import { EFFORT, QUALITY, WIDTHS } from '../variants.js';
import { STEM, xargs } from './xargs.js';

/** As it is meant to be called: it makes one size at a time, so a call for each variant of a few pictures. */
export async function vipsthumbnail(cores) {
  const calls = (format) => Object.keys(WIDTHS).map((variant) => call(variant, format, '"$@"'));
  return way(cores, 'vipsthumbnail', 'a call for each variant of four pictures', 4, (format) =>
    calls(format).join(' && '),
  );
}

/** Decoding once: to the large variant's pixels in a file of libvips' own, and from that to all. */
export async function vipsthumbnailInSteps(cores) {
  const { large, ...smaller } = WIDTHS;
  return way(
    cores,
    'vipsthumbnail in steps',
    'decoded once to an uncompressed file of the large size',
    1,
    (format) =>
      [
        `${STEM} vipsthumbnail -s '${large}x>' -o "$n.v" "$1"`,
        `vips copy "$n.v" "$n"_large.webp"${format}"`,
        ...Object.keys(smaller).map((variant) => call(variant, format, '"$n.v"')),
        'rm "$n.v"',
      ].join(' && '),
  );
}

function call(variant, format, from) {
  return `vipsthumbnail -s '${WIDTHS[variant]}x>' -o "$OUT/%s_${variant}.webp${format}" ${from}`;
}

async function way(cores, name, how, each, script) {
  const version = await ask('vipsthumbnail', ['--vips-version'], /vips[- ](\d+\.\d+\.\d+)/);
  if (version === null) return { missing: `${name} (not on PATH)` };
  const [major, minor] = version.split('.').map(Number);
  const bare = major > 8 || minor >= 15 ? 'keep=none' : 'strip';
  const format = `[Q=${QUALITY},effort=${EFFORT},${bare}]`;
  return {
    name,
    how: `\`xargs -P ${cores}\`, ${how}, VIPS_CONCURRENCY=1`,
    version: `libvips ${version}`,
    run: (corpus, out) =>
      xargs(corpus, out, script(format), { atATime: cores, each, env: { VIPS_CONCURRENCY: '1' } }),
  };
}
