import { D50_XYZ, D65_XYZ, FROM_XYZ, type Matrix, type Vector } from '../signal/matrix.ts';
import type { Directory } from './directory.ts';
import type { Layout } from './layout.ts';
import { PHOTOMETRIC as P, TAG } from './tags.ts';

/** Converts the colours of one pixel, 0 to 1, in place. The colours were multiplied by `alpha`, which may be 1. */
type Convert = (pixel: Float64Array, alpha: number) => void;

/** The colours that a layout is converted to: grey, RGB or CMYK. */
export interface Target {
  readonly colours: number;
  readonly convert: Convert;
  /** True when the file's profile no longer applies. */
  readonly isSrgb: boolean;
  /** The sample of full opacity. */
  readonly opaque: number;
}

/** True for Lab in units of CIE 15: L 0 to 100, a and b around 0. */
export const isFloatLab = ({ photometric, format }: Layout): boolean => isLab(photometric) && format === 3;

const isLab = (photometric: number): boolean => photometric === P.cielab || photometric === P.icclab;

/**
 * Returns the colours that plain.ts stores. Palettes and YCbCr become RGB, and Lab becomes sRGB. Floats 0 to 1 count as
 * encoded values of their profile, or of sRGB without a profile, as in ImageMagick and GIMP.
 */
export function targetOf(directory: Directory, layout: Layout): Target {
  const { photometric, colours, bits } = layout;
  if (isFloatLab(layout)) return { colours, convert: floatLab, isSrgb: true, opaque: 255 };
  if (isLab(photometric)) return { colours, convert: lab(layout), isSrgb: true, opaque: 1 };
  if (photometric === P.palette) {
    // Palette samples are not scaled to 0 to 1.
    return { colours: 3, convert: palette(directory, layout), isSrgb: false, opaque: 2 ** bits - 1 };
  }
  const isInverted = photometric === P.whiteIsZero;
  const convert = photometric === P.ycbcr ? ycbcr(directory) : isInverted ? inverted : divided;
  return { colours, convert, isSrgb: false, opaque: 1 };
}

const divided: Convert = (pixel, alpha) => {
  for (let i = 0; i < 4; i++) pixel[i]! /= alpha;
};

/** The stored value is 1 - lightness * alpha. libvips reads it the same way. */
const inverted: Convert = (pixel, alpha) => {
  pixel[0] = (1 - pixel[0]!) / alpha;
};

/** 16 bits per colour. Old writers store 8 bits: as in libtiff, a map without an entry above 255 has 8. */
function palette(directory: Directory, { bits }: Layout): Convert {
  const map = directory.numbers(TAG.ColorMap);
  const size = 2 ** bits;
  const most = map.some((each) => each > 255) ? 65_535 : 255;
  // The colours of the map are never multiplied by alpha.
  return (pixel) => {
    const index = pixel[0]!;
    for (let i = 0; i < 3; i++) pixel[i] = (map[i * size + index] ?? 0) / most;
  };
}

/** TIFF 6.0, section 21: 8-bit codes; ReferenceBlackWhite defines the codes of black and white. */
function ycbcr(directory: Directory): Convert {
  const [red = 0.299, green = 0.587, blue = 0.114] = directory.numbers(TAG.YCbCrCoefficients);
  const reference = directory.numbers(TAG.ReferenceBlackWhite);
  const [y0, y1, b0, b1, r0, r1] = reference.length === 6 ? reference : [0, 255, 128, 255, 128, 255];
  return (pixel, alpha) => {
    const y = (pixel[0]! * 255 - y0!) / (y1! - y0!);
    const cb = ((pixel[1]! * 255 - b0!) / (b1! - b0!)) * (127 / 255);
    const cr = ((pixel[2]! * 255 - r0!) / (r1! - r0!)) * (127 / 255);
    pixel[0] = cr * (2 - 2 * red) + y;
    pixel[2] = cb * (2 - 2 * blue) + y;
    pixel[1] = (y - blue * pixel[2] - red * pixel[0]) / green;
    divided(pixel, alpha);
  };
}

/** XYZ (D50) to linear sRGB, adapted to D65 by Bradford: the inverse of the matrix in ICC's sRGB profiles. */
const TO_SRGB = [
  [3.1338561, -1.6168667, -0.4906146],
  [-0.9787684, 1.9161415, 0.033454],
  [0.0719453, -0.2289914, 1.4052427],
] as const;

/** TIFF 6.0, section 23: codes of 8 or 16 bits, with signed a and b (ICC Lab: offset by 128). */
function lab({ bits, photometric }: Layout): Convert {
  const codes = 2 ** bits;
  const chroma = (value: number): number => {
    const code = Math.round(value * (codes - 1));
    const zero = photometric === P.icclab ? codes / 2 : code < codes / 2 ? 0 : codes;
    return ((code - zero) * 256) / codes;
  };
  return (pixel, alpha) => {
    const [l, a, b] = [(pixel[0]! / alpha) * 100, chroma(pixel[1]!) / alpha, chroma(pixel[2]!) / alpha];
    // The white of Lab is D50, in Photoshop's files too.
    store(pixel, fromLab(l, a, b, D50_XYZ), TO_SRGB);
  };
}

/** libvips is the common writer of floats. The white of its Lab is D65, and its alpha is 0 to 255. */
const floatLab: Convert = (pixel, alpha) => {
  const [l, a, b] = [pixel[0]! / alpha, pixel[1]! / alpha, pixel[2]! / alpha];
  store(pixel, fromLab(l, a, b, D65_XYZ), FROM_XYZ);
};

/** CIE 15: Lab to XYZ. */
function fromLab(l: number, a: number, b: number, white: Vector): Vector {
  const y = (l + 16) / 116;
  const linear = (f: number): number => (f > 6 / 29 ? f ** 3 : (f - 4 / 29) * 3 * (6 / 29) ** 2);
  return [white[0] * linear(y + a / 500), white[1] * linear(y), white[2] * linear(y - b / 200)];
}

/** Stores the sRGB of XYZ. */
function store(pixel: Float64Array, [x, y, z]: Vector, toSrgb: Matrix): void {
  for (const [i, [a, b, c]] of toSrgb.entries()) pixel[i] = encoded(a * x + b * y + c * z);
}

/** IEC 61966-2-1. */
const encoded = (linear: number): number =>
  linear <= 0.0031308 ? linear * 12.92 : 1.055 * linear ** (1 / 2.4) - 0.055;
