import { ask } from '../run.js';
import { EFFORT, QUALITY, WIDTHS } from '../variants.js';
import { STEM, xargs } from './xargs.js';

const { large, medium, thumbnail } = WIDTHS;

/** Reading once, each size from a copy of the whole picture. */
export function imageMagick(cores) {
  const sized = (variant, width) => `\\( +clone -resize '${width}x>' -write "$n"_${variant}.webp +delete \\)`;
  const sizes = Object.entries(WIDTHS).map(([variant, width]) => sized(variant, width));
  return way(cores, 'ImageMagick', 'one pass, each size from the whole picture', (binary) =>
    [STEM, `exec ${binary} "$1" -auto-orient -strip ${WEBP}`, ...sizes, 'null:'].join(' '),
  );
}

/** The JPEG decoder is told what will be enough, and each size is made of the one before. */
export function imageMagickHinted(cores) {
  return way(cores, 'ImageMagick with jpeg:size', HINTED, (binary) =>
    chain(`${binary} -define jpeg:size=${large}x${large}`),
  );
}

export async function graphicsMagick(cores) {
  const name = 'GraphicsMagick with -size';
  const version = await ask('gm', ['version'], /GraphicsMagick (\S+)/);
  if (version === null) return { missing: `${name} (gm is not on PATH)` };
  return made(cores, name, version, HINTED, chain(`gm convert -size ${large}x${large}`));
}

const WEBP = `-quality ${QUALITY} -define webp:method=${EFFORT}`;
const HINTED = 'one pass, scaled by the JPEG decoder, each size from the one before';

function chain(start) {
  const sized = (width) => `-resize '${width}x>'`;
  return [
    STEM,
    `exec ${start} "$1" -auto-orient -strip ${WEBP} ${sized(large)} -write "$n"_large.webp`,
    `${sized(medium)} -write "$n"_medium.webp ${sized(thumbnail)} "$n"_thumbnail.webp`,
  ].join(' ');
}

/** The binary itself where a distribution names it, not what may stand before it. */
async function way(cores, name, how, script) {
  const binaries = ['magick', 'convert-im7.q16', 'convert-im6.q16', 'convert'];
  for (const binary of binaries) {
    const version = await ask(binary, ['-version'], /ImageMagick (\S+ Q\S+)/);
    if (version !== null) return made(cores, name, version, how, script(binary));
  }
  return { missing: `${name} (none of ${binaries.join(', ')} on PATH)` };
}

function made(cores, name, version, how, script) {
  const env = { MAGICK_THREAD_LIMIT: '1', OMP_NUM_THREADS: '1' };
  return {
    name,
    how: `\`xargs -P ${cores}\`, ${how}, one thread each`,
    version,
    run: (corpus, out) => xargs(corpus, out, script, { atATime: cores, env }),
  };
}
