import type { Sharp } from 'sharp';
import { ImgtoolError } from '../../errors.ts';
import type { PixelSize } from '../../model.ts';
import { sharp } from '../vips.ts';

/** 8-bit sRGB, page below page; width and height are those of one page. With 2 or 4 channels, the last is alpha. */
export interface Frames extends PixelSize {
  readonly data: Buffer;
  readonly channels: 1 | 2 | 3 | 4;
  readonly pages: number;
  /** Milliseconds that each page is shown. Empty for a still picture. */
  readonly delays: readonly number[];
  /** How often an animation plays; 0 means without end. */
  readonly loop: number;
}

/** How the pages of a picture follow each other. */
export type Motion = Pick<Frames, 'pages' | 'delays' | 'loop'>;

/** The pages of a still picture. */
export const STILL = { pages: 1, delays: [], loop: 0 } as const;

export function from({ data, width, height, channels, pages }: Frames): Sharp {
  const raw = { width, height: height * pages, channels, ...(pages > 1 ? { pageHeight: height } : {}) };
  return sharp(data, { raw, limitInputPixels: false });
}

/**
 * Runs a pipeline. The pages are timed like those of `like`. `ushort` samples take 2 bytes in this machine's byte order.
 * Errors: `unsupported_format`.
 */
export async function raw(
  pipeline: Sharp,
  { delays, loop }: Pick<Frames, 'delays' | 'loop'> = STILL,
  depth: 'uchar' | 'ushort' = 'uchar',
): Promise<Frames> {
  const { data, info } = await pipeline.raw({ depth }).toBuffer({ resolveWithObject: true });
  const { width, pageHeight: height = info.height, channels } = info;
  if (channels <= 4) return { data, width, height, channels, pages: info.height / height, delays, loop };
  const message = `the picture has ${channels} colour channels, at most 4 can be read`;
  const fix = 'save it as an RGB picture without extra channels first';
  throw new ImgtoolError('unsupported_format', message, { fix });
}

/** Changes each page as a still picture. */
export async function pageByPage(frames: Frames, change: (page: Frames) => Promise<Frames>): Promise<Frames> {
  const made: Frames[] = [];
  for (const page of pagesOf(frames)) made.push(await change(page));
  const [first] = made;
  if (made.length === 1) return first!;
  const { pages, delays, loop } = frames;
  return { ...first!, data: Buffer.concat(made.map(({ data }) => data)), pages, delays, loop };
}

/** The pages as still pictures, without copying their pixels. */
function pagesOf(frames: Frames): Frames[] {
  const { data, width, height, channels, pages } = frames;
  const size = width * height * channels;
  return Array.from({ length: pages }, (_, i) => {
    return { ...frames, ...STILL, data: data.subarray(i * size, (i + 1) * size) };
  });
}

/** The most pixels to sample; they are evenly spaced in a larger picture. */
const MAX_SAMPLES = 65_536;

/** Returns the mean of the most frequent colours, which agree in their upper 4 bits; transparency is on white. */
export function dominantColor({ data, channels }: Frames): string {
  const groups = new Float64Array(4096 * 4);
  const colors = channels < 3 ? 1 : 3;
  const opaque = channels === colors;
  const step = Math.max(1, Math.ceil(data.length / channels / MAX_SAMPLES)) * channels;
  for (let at = 0; at + channels <= data.length; at += step) {
    const alpha = opaque ? 255 : data[at + colors]!;
    const on = (color: number): number => Math.round((color * alpha + 255 * (255 - alpha)) / 255);
    const red = on(data[at]!);
    const [green, blue] = colors === 1 ? [red, red] : [on(data[at + 1]!), on(data[at + 2]!)];
    const group = (((red >> 4) << 8) | (green & 0xf0) | (blue >> 4)) * 4;
    groups[group]! += 1;
    groups[group + 1]! += red;
    groups[group + 2]! += green;
    groups[group + 3]! += blue;
  }
  let best = 0;
  for (let group = 0; group < groups.length; group += 4) if (groups[group]! > groups[best]!) best = group;
  const [count = 1, ...sums] = groups.subarray(best, best + 4);
  return `#${Buffer.from(sums.map((sum) => Math.round(sum / count))).toString('hex')}`;
}
