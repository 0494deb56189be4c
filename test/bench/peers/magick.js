import { ask } from '../run.js';
import { EFFORT, QUALITY, WIDTHS } from '../variants.js';
import { STEM, xargs } from './xargs.js';

const { large, medium, thumbnail } = WIDTHS;

/** Reading once, each size from a copy of the whole picture. */
export function imageMagick(cores) {
  const sized = ([variant, width]) =>
    `\\( +clone -resize "${width}x>" -write "$n"_${variant}.webp +delete \\)`;
  const how = 'one pass, each size from the whole picture, with its own threads';
  return magick('ImageMagick', how, (binary) =>
    xargs([start(binary), ...Object.entries(WIDTHS).map(sized), 'null:'].join(' '), { atATime: cores }),
  );
}

export function imageMagickTuned(cores) {
  return magick('ImageMagick, tuned', HINTED, (binary) =>
    tuned(chain(`${binary} -define jpeg:size=${large}x${large}`), cores),
  );
}

export function graphicsMagick(cores) {
  const how = 'one pass, each size from the one before, with its own threads';
  return graphics('GraphicsMagick', how, () => xargs(chain('gm convert'), { atATime: cores }));
}

export function graphicsMagickTuned(cores) {
  return graphics('GraphicsMagick, tuned', HINTED, () =>
    tuned(chain(`gm convert -size ${large}x${large}`), cores),
  );
}

/** The JPEG decoder is told what will be enough, and each size is made of the one before. */
const HINTED = 'one pass, scaled by the JPEG decoder, each size from the one before, one thread each';

function tuned(script, cores) {
  return xargs(script, { atATime: cores, env: { MAGICK_THREAD_LIMIT: '1', OMP_NUM_THREADS: '1' } });
}

function chain(binary) {
  const sized = (width) => `-resize "${width}x>"`;
  return [
    `${start(binary)} ${sized(large)} -write "$n"_large.webp`,
    `${sized(medium)} -write "$n"_medium.webp ${sized(thumbnail)} "$n"_thumbnail.webp`,
  ].join(' ');
}

function start(binary) {
  return `${STEM} exec ${binary} "$1" -auto-orient -strip -quality ${QUALITY} -define webp:method=${EFFORT}`;
}

/** The binary itself where a distribution names it, not what may stand before it. */
async function magick(name, how, made) {
  const binaries = ['magick', 'convert-im7.q16', 'convert-im6.q16', 'convert'];
  for (const binary of binaries) {
    const version = await ask(binary, ['-version'], /ImageMagick (\S+ Q\S+)/);
    if (version !== null) return { name, how, version, ...made(binary) };
  }
  return { missing: `${name} (none of ${binaries.join(', ')} on PATH)` };
}

async function graphics(name, how, made) {
  const version = await ask('gm', ['version'], /GraphicsMagick (\S+)/);
  return version === null ? { missing: `${name} (gm is not on PATH)` } : { name, how, version, ...made() };
}
