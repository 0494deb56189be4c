import type { Sharp } from 'sharp';
import type { Limits } from '../../model.ts';
import type { Source } from '../open.ts';
import type { Size } from '../plan.ts';
import { mayShrink, webpShrink } from '../shrink.ts';
import { sharp } from '../vips.ts';
import { corrected } from './correct.ts';
import { corrupt } from './corrupt.ts';
import { type Frames, from, raw } from './frames.ts';
import type { Header } from './header.ts';

/**
 * The damage at which a decoder gives up. Measured (libvips 8.18.7): `error` rejects what is broken in PngSuite and every
 * truncated format. It accepts a viewable JPEG with a few bad bytes inside, which `warning` rejects, and a JPEG without
 * rows that a scaled output does not need.
 */
const STRICT = 'error';
const LENIENT = 'none';
type Tolerance = typeof STRICT | typeof LENIENT;

export type Decoded = Readonly<Awaited<ReturnType<typeof decode>>>;

/**
 * Decodes the first frame to upright 8-bit sRGB. `degraded` is true when a damaged picture was read in part. Errors:
 * `corrupt`, `unsupported_format`, `out_of_memory`.
 */
export async function decode(source: Source, header: Header, size: Size, limits: Limits) {
  try {
    return { frames: await read(source, header, size, STRICT), degraded: false };
  } catch (error) {
    const reason = corrupt(error, limits.lenient, header);
    // `lenient` accepts damage, not a lack of memory.
    if (!limits.lenient || reason.code !== 'corrupt') throw reason;
  }
  try {
    return { frames: await read(source, header, size, LENIENT), degraded: true };
  } catch (error) {
    throw corrupt(error, limits.lenient);
  }
}

async function read(source: Source, header: Header, size: Size, failOn: Tolerance): Promise<Frames> {
  const { corrections } = header;
  // header.ts applies the limit to one frame; libvips would count all frames of an animation.
  const opened = sharp(inputOf(source, header, failOn), {
    failOn: failOn === STRICT && header.tiff !== null ? header.tiff.failOn : failOn,
    autoOrient: true,
    limitInputPixels: false,
    ignoreIcc: corrections?.ignoreIcc === true,
  });
  const input = header.wide ? opened.withIccProfile('srgb') : opened;
  const isFull = size.width === header.width && size.height === header.height;
  const first = webpShrink(header, size);
  if (first !== null) {
    const larger = await raw(input.resize({ ...first, fit: 'fill' }));
    return raw(from(larger).resize(fill(size)));
  }
  const whole = { left: 0, top: 0, width: header.width, height: header.height };
  const scaled = (pipeline: Sharp, to: Size): Sharp => {
    if (isFull) return pipeline;
    // A cut, even of nothing, keeps sharp from letting the decoder scale.
    const isExact = header.format !== 'jpeg' || header.turned || mayShrink(header, to);
    return (isExact ? pipeline : pipeline.extract(whole)).resize(fill(to));
  };
  return corrections === null ? raw(scaled(input, size)) : corrected(input, corrections, size, scaled);
}

/** The input for sharp, for some TIFFs a plain copy. Throws the damage of an incomplete picture unless lenient. */
function inputOf(source: Source, { tiff, damage }: Header, failOn: Tolerance): Buffer | string {
  const lenient = failOn === LENIENT;
  if (damage !== null && !lenient) throw damage;
  return tiff?.plain?.write(lenient) ?? source.input;
}

/** With `fastShrinkOnLoad: false`, decoders scale down no further than shrink.ts states. */
const fill = ({ width, height }: Size) =>
  ({ width, height, fit: 'fill', kernel: 'lanczos3', fastShrinkOnLoad: false }) as const;
