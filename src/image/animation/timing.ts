import type { AnimationOptions, GifOptions } from 'sharp';
import { chunksOf } from '../chunks.ts';
import { extensionsOf, LABEL } from '../gif.ts';
import type { Motion } from '../steps/frames.ts';

/** sharp takes no larger number of plays. */
const MOST_PLAYS = 65_535;

/**
 * Milliseconds of each frame while it is encoded; the real delays are written afterwards. sharp takes no delay above 65,535,
 * and libvips makes 100 of a delay up to 10.
 */
const ENCODED = 100;

/** The options with which sharp writes an animated WebP; none for a still picture. `timeWebp` follows. */
export const webpMotion = ({ pages, loop }: Motion): AnimationOptions =>
  pages === 1 ? {} : { delay: Array<number>(pages).fill(ENCODED), loop: Math.min(loop, MOST_PLAYS) };

/**
 * The options with which sharp writes an animated GIF; none for a still picture. `timeGif` follows. With the palette of
 * another frame, colours are up to 45 of 255 away (libvips 8.18.7). Equal frames stay apart: the output has the frames of
 * the source.
 */
export const gifMotion = (motion: Motion): GifOptions =>
  motion.pages === 1 ? {} : { ...webpMotion(motion), interPaletteMaxError: 0, keepDuplicateFrames: true };

/** Writes the delays into an encoded WebP. The encoder joins equal frames: their delays are added. */
export function timeWebp(webp: Buffer, delays: readonly number[]): void {
  let from = 0;
  for (const { type, at } of chunksOf(webp, 'webp', true)) {
    if (type !== 'ANMF') continue;
    const to = from + webp.readUIntLE(at + 12, 3) / ENCODED;
    const delay = delays.slice(from, to).reduce((sum, each) => sum + each, 0);
    webp.writeUIntLE(Math.min(delay, 0xffffff), at + 12, 3);
    from = to;
  }
}

/** Writes the delays into an encoded GIF, as far as 16 bits hold them. */
export function timeGif(gif: Buffer, delays: readonly number[]): void {
  const controls = [...extensionsOf(gif)].filter(({ label }) => label === LABEL.control);
  for (const [i, units] of wholeUnits(delays).entries())
    controls[i]?.blocks[0]?.writeUInt16LE(Math.min(units, 0xffff), 1);
}

/** Milliseconds of a unit of time in a GIF. */
const UNIT = 10;

/**
 * The delays in hundredths of a second. A rounding error is made up for by the next frames. Browsers show a frame of one
 * unit for ten units: a delay above one unit becomes at least two.
 */
function wholeUnits(delays: readonly number[]): number[] {
  let behind = 0;
  return delays.map((delay) => {
    behind += delay;
    const made = Math.max(delay > UNIT ? 2 : 1, Math.round(behind / UNIT));
    behind -= made * UNIT;
    return made;
  });
}
