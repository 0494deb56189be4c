import type { Sharp } from 'sharp';
import type { ImgtoolError } from '../../errors.ts';
import type { Limits, PixelSize } from '../../model.ts';
import { inOwnColours } from '../corrections.ts';
import type { Source } from '../open.ts';
import type { Base } from '../plan.ts';
import { corrupt } from '../unreadable.ts';
import { sharp } from '../vips.ts';
import { corrected } from './correct.ts';
import { type Frames, from, raw } from './frames.ts';
import type { Header } from './header.ts';
import { isHarmful, isNoticed, type Scan, scanOf } from './scan.ts';

/**
 * The damage at which a decoder gives up. Measured (libvips 8.18.7): `error` rejects what is broken in PngSuite and every
 * truncated format. It accepts a viewable JPEG with bad bytes inside, which `warning` rejects, and a JPEG without rows that
 * a scaled output does not need. `warning` accepts all of 118 sound JPEGs; for other formats it also means harmless things.
 */
const STRICT = 'error';
const LENIENT = 'none';
type Tolerance = 'warning' | typeof STRICT | typeof LENIENT;

export type Decoded = Readonly<Awaited<ReturnType<typeof decode>>>;

/**
 * Decodes to upright 8-bit sRGB of this region and size. `degraded`: the decoder noticed damage and read on. Errors: those of
 * unreadable.ts.
 */
export async function decode(source: Source, header: Header, base: Base, { lenient }: Limits) {
  const isJpeg = header.format === 'jpeg';
  let reason: ImgtoolError | undefined;
  let degraded = false;
  for (const { failOn, scan } of attemptsAt(source, header, base, lenient)) {
    // sharp gives a pipeline all warnings of the process, so only one picture is decoded at a time.
    const warnings: string[] = [];
    try {
      const input = scan?.input ?? inputOf(source, header, failOn);
      const frames = await read(input, header, base, failOn, warnings);
      degraded ||= (await scan?.isDamaged(warnings)) ?? (isJpeg && isNoticed(warnings));
      return { frames, degraded };
    } catch (error) {
      reason = corrupt(error, lenient, failOn === LENIENT ? undefined : header);
      // The next tolerance accepts damage, not a lack of memory.
      if (reason.code !== 'corrupt') break;
      degraded ||= isHarmful(reason.message);
    }
  }
  throw reason;
}

/** What is decoded, and at which damage the decoder gives up. */
interface DecodeAttempt {
  readonly failOn: Tolerance;
  /** Decodes this instead of the source. */
  readonly scan?: Scan;
}

/** From the attempt that notices most damage to the one that accepts most. */
function attemptsAt(source: Source, header: Header, { region }: Base, lenient: boolean): DecodeAttempt[] {
  const attempts: DecodeAttempt[] = [{ failOn: STRICT }];
  if (lenient) attempts.push({ failOn: LENIENT });
  if (header.format !== 'jpeg') return attempts;
  // A region may leave out the last rows, with the end of the scan.
  const scan = region === null ? scanOf(source, header) : null;
  return [scan === null ? { failOn: 'warning' } : { failOn: LENIENT, scan }, ...attempts];
}

/** Adds the warnings of the decoder to `warnings`. */
async function read(
  bytes: Buffer | string,
  header: Header,
  base: Base,
  failOn: Tolerance,
  warnings: string[],
): Promise<Frames> {
  const { region, zoom, isOwn = false, ...size } = base;
  const corrections = isOwn ? inOwnColours(header.corrections) : header.corrections;
  // header.ts applies the limit to one frame; libvips would count all frames of an animation.
  const opened = sharp(bytes, {
    failOn: failOn === STRICT ? header.failOn : failOn,
    autoOrient: true,
    page: header.page,
    limitInputPixels: false,
    ignoreIcc: isOwn || corrections?.ignoreIcc === true,
  }).on('warning', (warning: string) => warnings.push(warning));
  const input = header.wide && !isOwn ? opened.withIccProfile('srgb') : opened;
  if (zoom > 1 && region !== null) {
    const drawing = { width: header.width * zoom, height: header.height * zoom };
    return raw(from(await raw(input.resize(fill(drawing)))).extract(region));
  }
  const full = region ?? header;
  const isFull = size.width === full.width && size.height === full.height;
  const first = webpShrink(header, base);
  if (first !== null) {
    const larger = await raw(input.resize({ ...first, fit: 'fill' }));
    return raw(from(larger).resize(fill(size)));
  }
  const whole = { left: 0, top: 0, width: header.width, height: header.height };
  const scaled = (pipeline: Sharp, to: PixelSize): Sharp => {
    const part = region === null ? pipeline : pipeline.extract(region);
    if (isFull || region !== null) return isFull ? part : part.resize(fill(to));
    // A cut, even of nothing, keeps sharp from letting the decoder scale.
    const isExact = header.format !== 'jpeg' || header.turned || mayShrink(header, { ...to, region });
    return (isExact ? pipeline : pipeline.extract(whole)).resize(fill(to));
  };
  return corrections === null
    ? raw(scaled(input, size))
    : corrected(input, corrections, { ...size, region }, scaled);
}

/** The input for sharp, for some TIFFs a plain copy. Throws the damage of an incomplete picture unless lenient. */
function inputOf(source: Source, { plain, damage }: Header, failOn: Tolerance): Buffer | string {
  const lenient = failOn === LENIENT;
  if (damage !== null && !lenient) throw damage;
  return plain?.write(lenient) ?? source.input;
}

/** With `fastShrinkOnLoad: false`, decoders scale down no further than `MARGIN` allows. */
const fill = ({ width, height }: PixelSize) =>
  ({ width, height, fit: 'fill', kernel: 'lanczos3', fastShrinkOnLoad: false }) as const;

/**
 * How many times larger than the output a decoder's scaled result must be; Lanczos does the rest. Measured (libvips
 * 8.18.7) as SSIM against Lanczos in float64: text as JPEG, 3600 to 800 pixels across, 0.989 with 1 and 0.999 with 2;
 * text as WebP, 4800 to 1200, 0.995 with 1, 0.9992 with 2 and 0.9996 with 3; fine stems, 4800 to 800, 0.994 with 2 and
 * above 0.995 with 3.
 */
const MARGIN = { jpeg: 2, webp: 3, largeWebp: 2 };

/** A size, and the region that is scaled to it. */
type ScaledRegion = PixelSize & Pick<Base, 'region'>;

/** The factor (1, 2, 4 or 8) by which sharp has a JPEG decoder scale down for this size. */
function sharpShrink({ width, height }: PixelSize, to: PixelSize): number {
  const by = Math.min(width / to.width, height / to.height) / MARGIN.jpeg;
  return [8, 4, 2].find((each) => each <= by) ?? 1;
}

/** The factor by which a JPEG decoder scales down for this size. */
export const jpegShrink = (header: Header, to: ScaledRegion): number =>
  mayShrink(header, to) ? sharpShrink(header, to) : 1;

/**
 * True when a JPEG decoder can scale down for this size. Where a side is no multiple of the factor, the last column or row
 * stands for less than the others, and the picture shifts by up to 0.4 pixels.
 */
function mayShrink(header: Header, to: ScaledRegion): boolean {
  if (to.region !== null) return false;
  const shrink = sharpShrink(header, to);
  return header.stored.width % shrink === 0 && header.stored.height % shrink === 0;
}

/** For a WebP of more pixels, decoding at full size takes too much memory. */
const LARGE = 32_000_000;

/** The size to request from a WebP decoder for this output size; null to decode the whole picture. */
export function webpShrink(
  { format, corrections, alpha, ...from }: Header,
  to: ScaledRegion,
): PixelSize | null {
  // Each resize of transparent pixels loses a little of their colour.
  if (format !== 'webp' || to.region !== null || corrections !== null || alpha) return null;
  const least = from.width * from.height > LARGE ? MARGIN.largeWebp : MARGIN.webp;
  const by = [MARGIN.webp, least].find(
    // A decoder that scales by little blurs.
    (each) => to.width * each * 1.3 < from.width && to.height * each * 1.3 < from.height,
  );
  return by === undefined ? null : { width: to.width * by, height: to.height * by };
}
