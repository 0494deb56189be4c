import type { Sharp } from 'sharp';
import type { Variant } from '../../model.ts';
import type { Geometry } from '../plan.ts';
import { type Frames, from, pageByPage, raw, STILL } from './frames.ts';

/** A step from pixels to a pipeline, and the pixels of such a pipeline. */
export type Finish = (frames: Frames) => Sharp;
type Pixels = (pipeline: Sharp, variant: Variant) => Promise<Frames>;

/** One transparent pixel. */
const CLEAR: Frames = { data: Buffer.alloc(4), width: 1, height: 1, channels: 4, ...STILL };

/**
 * Puts a finished picture on a canvas. A transparent pixel goes through the same steps, and becomes the colour of the
 * canvas. The canvas comes last: no step sees an edge between the picture and the canvas.
 */
export async function onCanvas(
  picture: Frames,
  { canvas, width, height }: Geometry,
  variant: Variant,
  finish: Finish,
  pixelsOf: Pixels,
): Promise<Frames> {
  if (canvas === null) return picture;
  const { data, channels } = await pixelsOf(finish(CLEAR), variant);
  const [r = 0, g = r, b = r] = channels < 3 ? data.subarray(0, 1) : data;
  const alpha = channels % 2 === 0 ? data[channels - 1]! / 255 : 1;
  const finished = await pageByPage(picture, (page) => pixelsOf(finish(page), variant));
  const { left, top } = canvas;
  const right = width - left - finished.width;
  const bottom = height - top - finished.height;
  return pageByPage(finished, (page) =>
    raw(from(page).extend({ left, top, right, bottom, background: { r, g, b, alpha } })),
  );
}
