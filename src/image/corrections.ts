import type { Metadata } from 'sharp';
import { ImgtoolError } from '../errors.ts';
import type { SourceFormat } from '../model.ts';
import { avifFacts, makeReadable, type StatedColours } from './avif.ts';
import { exifOfPng, isAdobeRgb, orientationOf } from './exif.ts';
import { gifCanvasOf } from './gif.ts';
import type { Source } from './open.ts';
import { signalOfProfile } from './signal/icc.ts';
import { type PngSignal, signalOfPng } from './signal/png.ts';
import { ADOBE_RGB, signalOfCodePoints } from './signal/signal.ts';

/** What a file states about its display that libvips ignores. */
export type Corrections = Readonly<NonNullable<ReturnType<typeof correctionsOf>>>;

/** Sample values of black, full light, and full opacity. */
export type Range = { readonly black: number; readonly white: number; readonly opaque: number };

/** Makes the bytes readable for the decoder, in place, after the digest is computed. Errors: `unsupported_format`. */
export function makeDecodable(source: Source, format: SourceFormat): void {
  if (format !== 'avif') return;
  if (typeof source.input !== 'string') makeReadable(source.input);
  else if (source.head.toString('latin1', 4, 12) === 'ftypavis') {
    const fix = 'save its first frame as a picture of its own';
    throw new ImgtoolError('unsupported_format', 'an animated AVIF of this size cannot be read', { fix });
  }
}

/** Returns null for most pictures, which libvips and sharp display correctly. `most` is the limit of pixels. */
export function correctionsOf(
  source: Source,
  format: SourceFormat,
  metadata: Metadata,
  ofHeic: StatedColours | null,
  most: number,
) {
  const bytes = source.head;
  const heif = format === 'avif' ? avifFacts(bytes) : ofHeic;
  const png = format === 'png' ? signalOfPng(source) : null;
  const premultiplied = (heif?.premultiplied ?? false) && metadata.hasAlpha;
  const missed = format === 'png' && metadata.orientation === undefined ? exifOfPng(source) : null;
  const exif = metadata.exif ?? missed;
  const colours = coloursOf(metadata, heif, png, exif);
  const screen = format === 'gif' ? gifCanvasOf(bytes, most) : null;
  const orientation = (missed && orientationOf(missed)) ?? 1;
  const isPlain = colours.signal === null && !colours.ignoreIcc && !premultiplied;
  if (isPlain && screen === null && orientation === 1) return null;
  const deep: 'rgb16' | 'grey16' | null =
    metadata.depth !== 'ushort' ? null : metadata.space === 'grey16' ? 'grey16' : 'rgb16';
  return {
    ...colours,
    /** True when the colours are multiplied by the alpha channel. */
    premultiplied,
    /** The GIF screen, when the first frame does not cover it. */
    screen,
    /** EXIF orientation, 1 to 8, when libvips does not find it; else 1. */
    orientation,
    /** sharp's name for the colour space of 16-bit samples; null for 8-bit samples. */
    deep,
    range: rangeOf(metadata, png?.narrow ?? false),
  };
}

/**
 * True when the whole picture must be in memory before scaling. The curve of Adobe RGB is close to that of sRGB. Its
 * samples can therefore be scaled before conversion, and a photograph still shrinks while it is decoded.
 */
export function isWhole({ signal, deep, premultiplied, screen }: Corrections): boolean {
  return premultiplied || screen !== null || (signal !== null && signal !== ADOBE_RGB && deep === null);
}

/**
 * `signal` says how to convert the samples to sRGB; null when they are sRGB or when sharp converts them. `ignoreIcc` is
 * true when the ICC profile is invalid for the picture, or when `signal` replaces the profile. `isOfProfile` is true when
 * `signal` is that of the profile.
 */
function coloursOf(
  metadata: Metadata,
  heif: StatedColours | null,
  png: PngSignal | null,
  exif: Buffer | null,
) {
  const { hasProfile, icc, space, depth } = metadata;
  const stated = png?.signal ?? (heif?.codePoints && signalOfCodePoints(heif.codePoints)) ?? null;
  if (stated !== null && (png?.isFirst || !hasProfile)) {
    return { signal: stated === 'srgb' ? null : stated, ignoreIcc: hasProfile, isOfProfile: false };
  }
  const kind = KINDS[space ?? ''];
  if (!hasProfile && kind !== undefined && exif !== null && isAdobeRgb(exif)) {
    return { signal: ADOBE_RGB, ignoreIcc: false, isOfProfile: false };
  }
  // lcms converts 16-bit samples coarsely, and dark grey of a linear profile by up to 10 of 255. sharp does not let lcms
  // convert grey of 16 bits. Premultiplied colours must be divided by alpha before any conversion.
  const isOwn = depth === 'ushort' || kind === 'grey' || heif?.premultiplied;
  const signal = icc !== undefined && isOwn && kind !== undefined ? signalOfProfile(icc, kind) : null;
  return { signal, ignoreIcc: signal !== null, isOfProfile: signal !== null };
}

/** The profile of RGB pixels that are in its colours; null for others: they become sRGB. */
export function profileOf({ icc, space }: Metadata, corrections: Corrections | null): Buffer | null {
  const isReplaced = corrections?.ignoreIcc === true && !corrections.isOfProfile;
  if (icc === undefined || isReplaced || KINDS[space ?? ''] !== 'rgb') return null;
  // ICC.1:2022, 7.2: the space of the data, and the signature of a profile.
  const isRgb = icc.toString('latin1', 16, 20) === 'RGB ' && icc.toString('latin1', 36, 40) === 'acsp';
  return isRgb ? icc : null;
}

/** The corrections of a picture that stays in the colours of its profile. */
export function inOwnColours(corrections: Corrections | null): Corrections | null {
  return corrections && { ...corrections, signal: null, ignoreIcc: true };
}

/** Keys are libvips' names of colour spaces. */
const KINDS: Readonly<Record<string, 'grey' | 'rgb'>> = {
  ...{ grey16: 'grey', 'b-w': 'grey', rgb16: 'rgb', srgb: 'rgb' },
};

/** libvips shifts samples of 10 and 12 bits up to 16. */
function rangeOf({ depth, bitsPerSample = 16, format }: Metadata, narrow: boolean): Range {
  const width = depth === 'ushort' ? 16 : 8;
  const bits = width === 16 && format === 'heif' ? bitsPerSample : width;
  const opaque = (2 ** bits - 1) * 2 ** (width - bits);
  const unit = 2 ** (width - 8);
  return narrow ? { black: 16 * unit, white: 235 * unit, opaque } : { black: 0, white: opaque, opaque };
}
