import { floor, floorOnce } from './floor.js';
import { imgtool } from './imgtool.js';
import { graphicsMagick, imageMagick, imageMagickHinted } from './magick.js';
import { pillow, pillowDraft } from './pillow.js';
import { plain } from './plain.js';
import { sharpCli } from './sharp-cli.js';
import { vipsthumbnail, vipsthumbnailInSteps } from './vipsthumbnail.js';

/**
 * Ways to the same outputs. Each has a key by which it is chosen, and `find(cores)`, which resolves with its name, its
 * version and `run(corpus, out, index)`, wall-clock milliseconds for the whole of it; or with what was looked for in
 * vain.
 */
const ALL = {
  imgtool,
  floor,
  'floor-once': floorOnce,
  plain,
  pillow,
  'pillow-draft': pillowDraft,
  vipsthumbnail,
  'vipsthumbnail-steps': vipsthumbnailInSteps,
  'sharp-cli': sharpCli,
  imagemagick: imageMagick,
  'imagemagick-hint': imageMagickHinted,
  graphicsmagick: graphicsMagick,
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
