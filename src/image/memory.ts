import type { PixelSize, Variant } from '../model.ts';
import { hasMetadata } from '../variants/words.ts';
import type { Animation } from './animation/animation.ts';
import { area, corrector, decoder } from './decoding-memory.ts';
import { READERS } from './formats.ts';
import { type Base, between, type Geometry, plan } from './plan.ts';
import { hasFullChroma } from './steps/encode.ts';
import { looksAtNeighbours } from './steps/finish.ts';
import type { Header } from './steps/header.ts';
import { DEEP_PIXELS } from './steps/resize.ts';

/** Bytes for any picture: tables of libraries, file buffers, channels. */
const ALWAYS = 4 * 2 ** 20;

/** How many large outputs are encoded at the same time. */
const LARGE_AT_ONCE = 2;
/** When all outputs together have at most this many pixels, they may all be encoded at the same time. */
const FEW_PIXELS = 8_000_000;

/** Memory per byte of metadata that is kept. Measured with 15 MB of XMP to PNG and WebP: 23 for one text, 20 for a list. */
const METADATA = 26;

/** Rows in memory while decoded pixels are resized. */
const RESIZED_ROWS = 100;

/** The most bytes of a drawing's tiles that libvips frees late. Measured: 13 to 19 MB. */
const DRAWN = 20 * 2 ** 20;

/**
 * Returns the peak memory, in bytes, of rendering a picture to these variants, in addition to the memory of an idle
 * child process. The peak occurs while decoding or while encoding, whichever takes more. Without variants, it is the
 * memory for decoding at full size. `pixels` is the limit of pixels.
 *
 * Measured as VmHWM minus the idle child's VmRSS (sharp 0.35.5, libvips 8.18.7, glibc): JPEG, PNG, WebP, GIF, TIFF and
 * AVIF of 24 and 100 Mpx, plain, progressive or interlaced, with alpha, with 16 bits and with EXIF orientation; each to
 * `web`, to a width of 4096 pixels and to full size. The figures below are bytes per pixel.
 */
export function estimateMemory(
  header: Header,
  file: { readonly size: number; readonly held: number },
  variants: readonly Variant[],
  pixels = Number.POSITIVE_INFINITY,
): number {
  const { format, alpha, corrections, plain, pages } = header;
  const detail = detailOf(header, file.size);
  const channels = alpha ? 4 : 3;
  const geometries = largestPlan(header, variants, pixels);
  // The metadata as stored, as text, as properties, and in each output.
  const metadata = variants.some(hasMetadata) ? header.metadataBytes * METADATA : 0;
  if (header.animation !== null)
    return file.held + metadata + ofFrames(header.animation, header, variants, geometries, detail);
  const { width, height } = header;
  const full: Base = { width, height, region: null, zoom: 1 };
  const bases = geometries.length === 0 ? [full] : distinct(geometries.map(({ base }) => base));
  const decoded = areaOf(bases) * channels * pages;
  const decoding = Math.max(...bases.map((base) => decoder(header, base) + corrector(header, base)));
  const sized = areaOf(distinct(geometries.filter(isScaled))) * channels * pages;
  const encoders = geometries.map((size, i) => {
    const variant = variants[i]!;
    const isAlone = size.canvas === null;
    // The canvas around a picture has no detail.
    const own = isAlone ? detail : detail * (area(size.cut ?? size.whole) / area(size));
    const kept = isLossy(header) ? Math.sqrt(own) : own;
    // A canvas makes transparency without detail: one channel of four.
    const isPlainAlpha = !alpha && !isAlone && variant.format === 'png';
    const each = encoder(variant, alpha || !isAlone, own, isPlainAlpha ? kept * 0.75 : kept);
    const isSource = format === 'png' && variant.format === 'png' && sameSize(size, header);
    const compared = isSource ? file.held + area(size) * channels * (header.progressive ? 2 : 1) : 0;
    return (area(size) * each + beside(size, channels) + compared) * pages;
  });
  // The pixels in which `trim` found the edges are freed late.
  const trimmed = areaOf(distinct(geometries.flatMap(({ base }, i) => (variants[i]!.trim ? [base] : []))));
  const busiest = sum(encoders.sort((a, b) => b - a).slice(0, mostAtOnce(geometries)));
  // The plain copy of a picture, plus the memory for writing that copy, which the process frees late.
  const copied = plain?.memory ?? 0;
  const drawn = format === 'svg' ? Math.min(DRAWN, areaOf(bases) * 4) : 0;
  // The screen of a GIF stays in memory until its outputs are encoded.
  const screen = corrections?.screen ? area(header) * 4 : 0;
  return Math.ceil(
    ALWAYS +
      file.held +
      copied +
      decoded +
      screen +
      drawn +
      metadata +
      trimmed * channels +
      Math.max(decoding, sized + busiest),
  );
}

/** How many frames of full size are in memory: the canvas, the one that is decoded, and some that are not freed yet. */
const FULL_FRAMES = 24;

/**
 * Peak memory of an animation, without its file and its metadata. All resized frames stay in memory until their outputs
 * are encoded. The encoders work frame by frame. Measured with a file of 54 MB and 200 frames of 1 Mpx: 207 MiB for a WebP
 * and 221 MiB for a GIF, both 300 pixels across; 946 and 952 MiB at full size.
 */
function ofFrames(
  { frames }: Animation,
  header: Header,
  variants: readonly Variant[],
  geometries: readonly Geometry[],
  detail: number,
): number {
  const largest = Math.max(area(header), ...frames.map(area));
  const encoders = geometries.map((size, i) => {
    const variant = variants[i]!;
    // Finished frames, one by one and joined.
    const finished = looksAtNeighbours(variant) || size.canvas !== null ? 8 : 0;
    const written = frames.length * area(size) * (finished + 0.3 + 3 * detail);
    return written + area(size) * encoder(variant, true, detail, detail) + beside(size, 4);
  });
  const busiest = sum(encoders.sort((a, b) => b - a).slice(0, mostAtOnce(geometries)));
  const resized = areaOf(distinct(geometries)) * frames.length * 4;
  return Math.ceil(ALWAYS + largest * 4 * FULL_FRAMES + resized + busiest);
}

/**
 * The plan for the memory. What `trim` leaves is only known after decoding: any part of the picture can be left, also one
 * that fills the asked width and height.
 */
export function largestPlan(header: Header, variants: readonly Variant[], pixels: number): Geometry[] {
  return plan(header, header.format, variants, pixels).map((one, i) => {
    const { trim, fit, enlarge, scale, width, height } = variants[i]!;
    if (!trim) return one;
    const part = one.base.region ?? header;
    const base = { ...one.base, width: part.width, height: part.height };
    const isKnown = scale !== null || (width === null && height === null);
    if (isKnown || (fit !== 'inside' && fit !== 'outside')) return { ...one, base };
    const most = (asked: number | null, own: number): number => {
      const wanted = fit === 'inside' ? asked : null;
      return enlarge ? (wanted ?? pixels) : Math.min(wanted ?? own, own);
    };
    const across = Math.min(most(width, part.width), pixels);
    return { ...one, base, width: across, height: Math.min(most(height, part.height), pixels / across) };
  });
}

/** How many outputs of these sizes may be encoded at the same time. */
export function mostAtOnce(outputs: readonly PixelSize[]): number {
  return areaOf(outputs) <= FEW_PIXELS ? Math.max(LARGE_AT_ONCE, outputs.length) : LARGE_AT_ONCE;
}

/** How many rows are in memory as floating-point numbers while a picture is resized in linear light. */
const LINEAR_ROWS = 500;

/** Bytes beside an output: while it is resized, before a cut by content, or beside its canvas. */
function beside({ cut, whole, canvas, linear, base, ...output }: Geometry, channels: number): number {
  const isByContent = cut !== null && typeof cut.at === 'string';
  const uncut = isByContent ? area(whole) * channels : 0;
  const resized = resizing({ base, whole, linear }, channels);
  return resized + uncut + (canvas === null ? 0 : (area(output) + area(cut ?? whole)) * 4);
}

/** Bytes while a base is resized: in linear light, between two steps, and in 16 bits (steps/resize.ts). */
function resizing(sizes: Pick<Geometry, 'base' | 'whole' | 'linear'>, channels: number): number {
  const { base, whole, linear } = sizes;
  if (sameSize(whole, base)) return 0;
  const light = linear ? base.width * Math.min(base.height, LINEAR_ROWS) * channels * 4 : 0;
  const step = between(sizes);
  const stepped = step === null ? 0 : area(step) * channels;
  const rows = base.width * RESIZED_ROWS * channels;
  const close = step ?? base;
  // What is enlarged to one side only is reduced to the other side before.
  const isLarger = whole.width > base.width || whole.height > base.height;
  const least = Math.min(close.width, whole.width) * Math.min(close.height, whole.height);
  if (isLarger) return light + rows + stepped + least * channels;
  const deep = !linear && area(close) <= DEEP_PIXELS ? (area(close) + area(whole)) * channels * 2 : 0;
  return light + rows + stepped + deep;
}

/**
 * Bytes per pixel that an encoder needs, including its output and the library's copies. `kept` is the detail that is left
 * for an encoder without loss: a lossy source hides how much it has.
 */
function encoder(variant: Variant, alpha: boolean, detail: number, kept: number): number {
  const { format, lossless, nearlossless, effort, chroma, bitdepth } = variant;
  switch (format) {
    case 'webp':
      if (lossless || nearlossless) return 25 + 20 * kept;
      return (alpha ? (effort > 4 ? 34 : 16) : 6) + (chroma === 'sharp' ? 10 : 0) + lossyWebp(alpha, detail);
    case 'jpeg': {
      // The search of passes keeps every candidate.
      const searched = effort > 1 ? 5 : 0;
      return hasFullChroma(variant) ? 16 + (3 + searched * 3) * detail : 10 + (1 + searched) * detail;
    }
    case 'png':
      // Reduced, indexed and filtered copies, and files of several ways.
      return alpha ? 13 + 20 * kept : 11 + 12 * kept;
    case 'avif':
      return (alpha ? 48 : 37) * (bitdepth > 8 ? 1.6 : 1);
    case 'gif':
      return 13 + (alpha ? 11 : 4) * detail;
    case 'tiff':
      // The pixels, and a reduced copy.
      return (alpha ? 10 : 8) + 5 * detail;
  }
}

/** Bytes per pixel for what a lossy WebP makes of detail: few up to a photograph's, many towards noise. */
const lossyWebp = (alpha: boolean, detail: number): number =>
  Math.max(12 * detail, alpha ? Math.min(24, 54 * detail ** 2) : Math.min(17, 42 * detail ** 2));

/** 0 for plain areas to 1 for noise, estimated from the file's bytes per pixel. */
function detailOf(header: Header, size: number): number {
  const most = isLossy(header) ? 0.9 : 3;
  return Math.min(1, size / area(header) / header.pages / most);
}

const isLossy = ({ format, lossless }: Header): boolean => READERS[format].isLossy === true && !lossless;

const sameSize = (a: PixelSize, b: PixelSize): boolean => a.width === b.width && a.height === b.height;

const isScaled = (geometry: Geometry): boolean => !sameSize(geometry, geometry.base);

const distinct = <T extends PixelSize>(sizes: readonly T[]): T[] => [
  ...new Map(sizes.map((size) => [JSON.stringify(size), size])).values(),
];

const areaOf = (sizes: readonly PixelSize[]): number => sum(sizes.map(area));

const sum = (all: readonly number[]): number => all.reduce((so, each) => so + each, 0);
