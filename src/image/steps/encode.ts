import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { AvifOptions, JpegOptions, Sharp, WebpOptions } from 'sharp';
import { writeError } from '../../errors.ts';
import type { Order, PixelSize, RenderedOutput, Variant } from '../../model.ts';
import { FULL_CHROMA } from '../../variants/formats.ts';
import { gifMotion, timeGif, timeWebp, webpMotion } from '../animation/timing.ts';
import { encodePng } from '../png/encode.ts';
import { withoutSpareChannels } from '../png/reduce.ts';
import { directoryAt, openTiff } from '../tiff/directory.ts';
import { TAG } from '../tiff/tags.ts';
import { sharp } from '../vips.ts';
import { type Frames, from, type Motion, raw, STILL } from './frames.ts';

type Encoded = PixelSize & { readonly data: Buffer };

/**
 * Encodes in the variant's format without metadata, with `motion` in a format that can be an animation. `png` is the source
 * when it is a PNG of the variant's size. With `isColour`, grey pixels are stored as colours.
 */
export async function encode(
  pipeline: Sharp,
  variant: Variant,
  png: Buffer | null,
  motion: Motion = STILL,
  isColour = false,
): Promise<Encoded> {
  switch (variant.format) {
    case 'jpeg':
      return encodeJpeg(pipeline, variant);
    case 'webp':
      return withDelays(
        buffer(pipeline.webp({ ...webpOptions(variant), ...webpMotion(motion) })),
        timeWebp,
        motion,
      );
    case 'avif':
      return buffer(pipeline.avif(avifOptions(variant)));
    case 'gif':
      return withDelays(
        buffer(pipeline.gif({ effort: variant.effort, ...gifMotion(motion) })),
        timeGif,
        motion,
      );
    case 'tiff':
      return encodeTiff(await pixelsOf(pipeline, variant));
    case 'png': {
      const pixels = await pixelsOf(pipeline, variant);
      const { width, height } = pixels;
      return { data: await encodePng(pixels, variant.effort, png, isColour), width, height };
    }
  }
}

/** An encoded animation with its delays. */
async function withDelays(
  made: Promise<Encoded>,
  time: typeof timeGif,
  { pages, delays }: Motion,
): Promise<Encoded> {
  const encoded = await made;
  if (pages > 1) time(encoded.data, delays);
  return encoded;
}

/** Below this size in bytes, the tables of each pass can outweigh what the passes save. */
const SMALL_JPEG = 20_000;

async function encodeJpeg(pipeline: Sharp, variant: Variant): Promise<Encoded> {
  const options = jpegOptions(variant);
  // No clone: a clone copies all pixels.
  const made = await buffer(pipeline.jpeg(options));
  if (!options.progressive || made.data.length > SMALL_JPEG) return made;
  const plain = await buffer(pipeline.jpeg({ ...options, progressive: false, optimiseScans: false }));
  return plain.data.length < made.data.length ? plain : made;
}

/**
 * mozjpeg's search by effort. Its own quantisation table is left out: it changes what a quality means, and takes up to 8 %
 * more bytes for the same SSIM (test/bench/README.md).
 */
const SEARCHES: readonly JpegOptions[] = [
  {},
  { trellisQuantisation: true, overshootDeringing: true },
  { trellisQuantisation: true, overshootDeringing: true, optimiseScans: true },
];

/** True when a JPEG stores colours as finely as brightness. */
export const hasFullChroma = ({ chroma, quality }: Variant): boolean =>
  chroma === '444' || (chroma !== '420' && quality >= FULL_CHROMA);

function jpegOptions(variant: Variant): JpegOptions {
  const { quality, effort, progressive } = variant;
  const chromaSubsampling = hasFullChroma(variant) ? '4:4:4' : '4:2:0';
  const options = { ...SEARCHES[effort], quality, chromaSubsampling };
  // Only passes can be searched.
  return progressive ? { ...options, progressive } : { ...options, optimiseScans: false };
}

function webpOptions({ quality, effort, lossless, nearlossless, chroma }: Variant): WebpOptions {
  if (lossless) return { lossless, effort };
  if (nearlossless) return { nearLossless: true, quality, effort };
  return { quality, effort, smartSubsample: chroma === 'sharp' };
}

function avifOptions({ quality, effort, lossless, chroma, bitdepth }: Variant): AvifOptions {
  if (lossless) return { lossless, effort };
  const chromaSubsampling = chroma === '420' ? '4:2:0' : '4:4:4';
  return { quality, effort, chromaSubsampling, bitdepth };
}

/** With as few channels as the pixels need. */
async function encodeTiff(pixels: Frames): Promise<Encoded> {
  const spare = withoutSpareChannels(pixels);
  const pipeline = spare.channels < 3 ? from(spare).toColourspace('b-w') : from(spare);
  const made = await buffer(pipeline.tiff({ compression: 'deflate', predictor: 'horizontal' }));
  clearResolutionUnit(made.data);
  return made;
}

/** libvips states 25.4 pixels per inch. A TIFF must have a resolution; unit 1 makes it a mere ratio (TIFF 6.0, section 8). */
function clearResolutionUnit(bytes: Buffer): void {
  const tiff = openTiff((at, length) => bytes.subarray(at, at + length), bytes.length);
  const at = tiff && directoryAt(tiff, tiff.first)?.position(TAG.ResolutionUnit);
  if (typeof at !== 'number') return;
  if (tiff?.littleEndian) bytes.writeUInt16LE(1, at);
  else bytes.writeUInt16BE(1, at);
}

/** The pixels of a finished picture. */
export async function pixelsOf(pipeline: Sharp, { grayscale }: Variant): Promise<Frames> {
  if (!grayscale) return raw(pipeline);
  // sharp's raw output of a grey picture has no alpha.
  const png = await pipeline.png({ compressionLevel: 0 }).toBuffer();
  return raw(sharp(png, { limitInputPixels: false }).toColourspace('srgb'));
}

async function buffer(pipeline: Sharp): Promise<Encoded> {
  const { data, info } = await pipeline.toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.pageHeight ?? info.height };
}

/**
 * Writes an output's bytes to a file that must not exist yet; storage syncs and publishes that file. Uses Node instead
 * of sharp to get the system's error codes. Errors: `no_space`, `not_writable`, `io`. Mode 0666 less umask.
 */
export async function write(
  bytes: Buffer,
  size: PixelSize,
  order: Order,
): Promise<Omit<RenderedOutput, 'metadata'>> {
  const { path, variant } = order;
  try {
    const file = await open(path, 'wx', 0o666);
    await file.writeFile(bytes).finally(() => file.close());
  } catch (error) {
    throw writeError(error, `${dirname(path)} (variant ${variant.name})`);
  }
  const checksum = createHash('sha256').update(bytes).digest('hex');
  return { ...size, bytes: bytes.length, checksum };
}
