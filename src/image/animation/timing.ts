import type { AnimationOptions, GifOptions } from 'sharp';
import type { Motion } from '../steps/frames.ts';

/** Milliseconds. sharp takes no longer delay. */
const LONGEST_DELAY = 65_535;
/** sharp takes no larger number of plays. */
const MOST_PLAYS = 65_535;

/** The options with which sharp writes an animated WebP; none for a still picture. */
export function webpMotion({ pages, delays, loop }: Motion): AnimationOptions {
  return pages === 1 ? {} : { delay: delays.map(atMost), loop: Math.min(loop, MOST_PLAYS) };
}

/**
 * The options with which sharp writes an animated GIF; none for a still picture. With the palette of another frame,
 * colours are up to 45 of 255 away (libvips 8.18.7). Equal frames stay apart: the output has the frames of the source.
 */
export function gifMotion({ pages, delays, loop }: Motion): GifOptions {
  if (pages === 1) return {};
  const delay = wholeHundredths(delays).map(atMost);
  return { delay, loop: Math.min(loop, MOST_PLAYS), interPaletteMaxError: 0, keepDuplicateFrames: true };
}

const atMost = (delay: number): number => Math.min(delay, LONGEST_DELAY);

/** Milliseconds of a unit of time in a GIF. */
const UNIT = 10;

/**
 * The delays that a GIF can hold. A rounding error is made up for by the next frames. Browsers show a frame of one unit
 * for ten units: a delay above one unit becomes at least two.
 */
function wholeHundredths(delays: readonly number[]): number[] {
  let behind = 0;
  return delays.map((delay) => {
    behind += delay;
    const least = delay > UNIT ? 2 * UNIT : UNIT;
    const made = Math.max(least, Math.round(behind / UNIT) * UNIT);
    behind -= made;
    return made;
  });
}
