import type { Sharp } from 'sharp';
import type { PixelSize, Variant } from '../../model.ts';
import type { Offset } from '../fit.ts';
import type { Geometry } from '../plan.ts';
import { pixelsOf } from './encode.ts';
import { type Frames, from, pageByPage, raw, STILL } from './frames.ts';

/** A step of the pixels after resizing. */
interface PixelStep {
  /** Returns the pipeline as it is when the step is off. */
  apply(pipeline: Sharp, variant: Variant): Sharp;
  /** Whether the step of this variant looks at the neighbours of a pixel. Then it gets each page by itself. */
  looksAtNeighbours?(variant: Variant): boolean;
}

/** Puts a background under transparent pixels. JPEG has no transparency and gets white. */
const flatten: PixelStep = {
  apply(pipeline, { background, format }) {
    const under = background ?? (format === 'jpeg' ? '#ffffff' : null);
    return under === null ? pipeline : pipeline.flatten({ background: under });
  },
};

/** Converts colours to one channel of luminance; keeps transparency. */
const grayscale: PixelStep = {
  apply: (pipeline, variant) => (variant.grayscale ? pipeline.grayscale().toColourspace('b-w') : pipeline),
};

/** Radius in pixels. Compensates for the softness of scaling down, without halos. */
const SIGMA = 0.6;

const sharpen: PixelStep = {
  apply: (pipeline, variant) => (variant.sharpen ? pipeline.sharpen({ sigma: SIGMA }) : pipeline),
  looksAtNeighbours: (variant) => variant.sharpen,
};

/** All steps in one pipeline. The order in this list has no effect, because sharp has an order of its own. */
const STEPS: readonly PixelStep[] = [flatten, grayscale, sharpen];

export const looksAtNeighbours = (variant: Variant): boolean =>
  STEPS.some((step) => step.looksAtNeighbours?.(variant));

/** The picture after all steps and on its canvas. */
export async function finished(
  picture: Frames,
  { canvas, width, height }: Geometry,
  variant: Variant,
): Promise<Sharp> {
  const isByPage = picture.pages > 1 && looksAtNeighbours(variant);
  if (canvas === null && !isByPage) return through(picture, variant);
  const pages = await pageByPage(picture, (page) => pixelsOf(through(page, variant), variant));
  const made = canvas === null ? pages : await onCanvas(pages, canvas, { width, height }, variant);
  return grayscale.apply(from(made), variant);
}

const through = (frames: Frames, variant: Variant): Sharp =>
  STEPS.reduce((so, step) => step.apply(so, variant), from(frames));

/** One transparent pixel. */
const CLEAR: Frames = { data: Buffer.alloc(4), width: 1, height: 1, channels: 4, ...STILL };

/**
 * Puts a finished picture on a canvas. A transparent pixel goes through the same steps, and becomes the colour of the
 * canvas. The canvas comes last: no step sees an edge between the picture and the canvas.
 */
async function onCanvas(
  picture: Frames,
  { left, top }: Offset,
  { width, height }: PixelSize,
  variant: Variant,
): Promise<Frames> {
  const { data, channels } = await pixelsOf(through(CLEAR, variant), variant);
  const [r = 0, g = r, b = r] = channels < 3 ? data.subarray(0, 1) : data;
  const alpha = channels % 2 === 0 ? data[channels - 1]! / 255 : 1;
  const right = width - left - picture.width;
  const bottom = height - top - picture.height;
  return pageByPage(picture, (page) =>
    raw(from(page).extend({ left, top, right, bottom, background: { r, g, b, alpha } })),
  );
}
