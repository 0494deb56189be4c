import { floor, floorOnce } from './floor.js';
import { imgtool } from './imgtool.js';
import { graphicsMagick, graphicsMagickTuned, imageMagick, imageMagickTuned } from './magick.js';
import { pillow, pillowThumbnail, pillowTuned } from './pillow.js';
import { plain } from './plain.js';
import { sharpCli, sharpCliTuned } from './sharp-cli.js';
import { vipsthumbnail, vipsthumbnailOfSeveral, vipsthumbnailTuned } from './vipsthumbnail.js';

/**
 * Ways to the same outputs: of each program the plain one, with its defaults, and as `tuned` the best that is known.
 * Each has a key by which it is chosen, and `find(cores)`, which resolves with its name, how it goes about it, its
 * command, its version and `run(corpus, out)`, wall-clock milliseconds for the whole of it; or with what was looked for
 * in vain.
 */
const ALL = {
  imgtool,
  floor,
  'floor-once': floorOnce,
  plain,
  pillow,
  'pillow-thumbnail': pillowThumbnail,
  'pillow-tuned': pillowTuned,
  vipsthumbnail,
  'vipsthumbnail-several': vipsthumbnailOfSeveral,
  'vipsthumbnail-tuned': vipsthumbnailTuned,
  'sharp-cli': sharpCli,
  'sharp-cli-tuned': sharpCliTuned,
  imagemagick: imageMagick,
  'imagemagick-tuned': imageMagickTuned,
  graphicsmagick: graphicsMagick,
  'graphicsmagick-tuned': graphicsMagickTuned,
};

export const KEYS = Object.keys(ALL);

/** The chosen ways, those that are here and those that are not. */
export async function waysOf(chosen, cores) {
  const found = await Promise.all(chosen.map(async (key) => ({ key, ...(await ALL[key](cores)) })));
  return {
    here: found.filter(({ missing }) => missing === undefined),
    missing: found.flatMap(({ missing }) => missing ?? []),
  };
}
