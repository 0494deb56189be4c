/** Pictures for TIFFs: their samples, and the sRGB colours that the samples mean, in double precision. */
import type { Picture, SampleFormat } from './write.ts';

export const KINDS = ['grey', 'white is zero', 'RGB', 'palette', 'CMYK', 'YCbCr', 'Lab'] as const;
export type Kind = (typeof KINDS)[number];

/** Red, green, blue and alpha, each 0 to 1. */
export type Colour = readonly [number, number, number, number];

interface Layout {
  readonly kind: Kind;
  readonly bits: number;
  readonly format: SampleFormat;
  readonly alpha: 'no' | 'associated' | 'unassociated';
}

const WIDTH = 40;
const HEIGHT = 30;
const EXTRA = { no: [], associated: [1], unassociated: [2] } as const;

/**
 * CMYK of paper, inks and a mix, and their sRGB from Little CMS with libvips' CMYK profile (perceptual, with black
 * point compensation), computed with `vips icc_transform` 8.14.
 */
const INKS: readonly (readonly [readonly number[], readonly [number, number, number]])[] = [
  [
    [0, 0, 0, 0],
    [255, 255, 255],
  ],
  [
    [1, 0, 0, 0],
    [0, 153, 228],
  ],
  [
    [0, 1, 0, 0],
    [234, 0, 130],
  ],
  [
    [0, 0, 1, 0],
    [255, 240, 0],
  ],
  [
    [0, 0, 0, 1],
    [18, 4, 23],
  ],
  [
    [0.4, 0.2, 0.6, 0],
    [149, 162, 113],
  ],
];

/** A picture of this colour layout, without strips or tiles, and the expected colours. */
export function pictureOf({ kind, bits, format, alpha }: Layout): {
  picture: Picture;
  expected: (x: number, y: number) => Colour;
} {
  const most = format === 'float' ? 1 : 2 ** (format === 'int' ? bits - 1 : bits) - 1;
  /** The stored number for a sample 0 to 1. */
  const quantised = (value: number): number =>
    format === 'float' || bits > 32 ? value : Math.round(value * most) / most;
  const { photometric, colours, encode, decode, tags } = coder(kind, bits, format);
  const isMultiplied = alpha === 'associated' && kind !== 'palette';
  const alphaAt = (x: number, y: number): number =>
    alpha === 'no' ? 1 : quantised(bits === 1 ? 1 : 0.4 + 0.6 * ((x + y) / (WIDTH + HEIGHT)));
  const stored = (x: number, y: number, sample: number): number => {
    if (sample >= colours) return alphaAt(x, y);
    return quantised(encode(x, y, isMultiplied ? alphaAt(x, y) : 1)[sample]!);
  };
  return {
    picture: {
      ...{ width: WIDTH, height: HEIGHT, photometric, bits, format, extra: EXTRA[alpha], tags },
      samples: colours + EXTRA[alpha].length,
      value(x, y, sample) {
        const value = stored(x, y, sample);
        // libvips stores the alpha of Lab as 0 to 255.
        if (format === 'float') return kind === 'Lab' && sample >= colours ? value * 255 : value;
        return bits === 64 ? BigInt(Math.round(value * 2 ** 50)) * 8191n : Math.round(value * most);
      },
    },
    expected(x, y) {
      const all = Array.from({ length: colours }, (_, i) => stored(x, y, i));
      const [red, green, blue] = decode(all, isMultiplied ? alphaAt(x, y) : 1).map((value) =>
        Math.min(1, Math.max(0, value)),
      );
      return [red!, green!, blue!, alphaAt(x, y)];
    },
  };
}

interface Coder {
  readonly photometric: number;
  readonly colours: number;
  /** Samples 0 to 1 of a pixel, multiplied by alpha. */
  readonly encode: (x: number, y: number, alpha: number) => readonly number[];
  readonly decode: (samples: readonly number[], alpha: number) => readonly number[];
  readonly tags: Picture['tags'] & object;
}

/** The colours of the pictures: a gradient of muted colours, inside every colour space here. */
const colourAt = (x: number, y: number): readonly [number, number, number] => [
  0.25 + (0.5 * x) / WIDTH,
  0.3 + (0.4 * y) / HEIGHT,
  0.35 + (0.3 * (x + y)) / (WIDTH + HEIGHT),
];

const greyAt = (x: number, y: number): number => (x * 3 + y) / (WIDTH * 3 + HEIGHT);

function coder(kind: Kind, bits: number, format: SampleFormat): Coder {
  switch (kind) {
    case 'grey':
      return {
        ...{ photometric: 1, colours: 1, tags: [] },
        encode: (x, y, alpha) => [greyAt(x, y) * alpha],
        decode: ([grey], alpha) => Array(3).fill(grey! / alpha),
      };
    case 'white is zero':
      return {
        ...{ photometric: 0, colours: 1, tags: [] },
        encode: (x, y, alpha) => [1 - greyAt(x, y) * alpha],
        decode: ([grey], alpha) => Array(3).fill((1 - grey!) / alpha),
      };
    case 'RGB':
      return {
        ...{ photometric: 2, colours: 3, tags: [] },
        encode: (x, y, alpha) => colourAt(x, y).map((value) => value * alpha),
        decode: (samples, alpha) => samples.map((value) => value / alpha),
      };
    case 'palette':
      return palette(bits);
    case 'CMYK':
      return {
        ...{ photometric: 5, colours: 4, tags: [] },
        encode: (x, _, alpha) => INKS[x % INKS.length]![0].map((ink) => ink * alpha),
        decode: (samples, alpha) => inkOf(samples.map((value) => value / alpha)),
      };
    case 'YCbCr':
      return {
        ...{ photometric: 6, colours: 3, tags: [{ tag: 530, type: 3, values: [1, 1] }] },
        encode: (x, y, alpha) => toYcbcr(colourAt(x, y).map((value) => value * alpha)),
        decode: (samples, alpha) => fromYcbcr(samples).map((value) => value / alpha),
      };
    case 'Lab':
      if (format === 'float') return FLOAT_LAB;
      return {
        ...{ photometric: 8, colours: 3, tags: [] },
        encode: (x, y, alpha) => labCodes(toLab(colourAt(x, y)), bits, alpha),
        decode: (samples, alpha) => fromLab(samples, bits, alpha),
      };
  }
}

function palette(bits: number): Coder {
  const size = 2 ** Math.min(bits, 16);
  const colour = (index: number) => [index / size, 1 - index / size, ((index * 7) % size) / size];
  const values = [0, 1, 2].flatMap((i) =>
    Array.from({ length: size }, (_, index) => Math.round(colour(index)[i]! * 65_535)),
  );
  return {
    ...{ photometric: 3, colours: 1, tags: [{ tag: 320, type: 3, values: bits > 16 ? [] : values }] },
    encode: (x, y) => [greyAt(x, y)],
    decode: ([value]) => colour(Math.round(value! * (size - 1))),
  };
}

function inkOf(samples: readonly number[]): number[] {
  const distance = ([inks]: (typeof INKS)[number]): number =>
    inks.reduce((sum, ink, i) => sum + Math.abs(ink - samples[i]!), 0);
  const nearest = INKS.reduce((best, each) => (distance(each) < distance(best) ? each : best));
  return nearest[1].map((value) => value / 255);
}

/** ITU-R BT.601 at full range, chroma around code 128 of 255. */
function toYcbcr([red, green, blue]: readonly number[]): number[] {
  const y = 0.299 * red! + 0.587 * green! + 0.114 * blue!;
  return [y, (blue! - y) / 1.772 + 128 / 255, (red! - y) / 1.402 + 128 / 255];
}

function fromYcbcr([y, cb, cr]: readonly number[]): number[] {
  const red = y! + 1.402 * (cr! - 128 / 255);
  const blue = y! + 1.772 * (cb! - 128 / 255);
  return [red, (y! - 0.299 * red - 0.114 * blue) / 0.587, blue];
}

/** XYZ (D65) of linear sRGB by the primaries of IEC 61966-2-1, and the Bradford adaptation of D65 to D50. */
const XYZ = [
  [0.4124564, 0.3575761, 0.1804375],
  [0.2126729, 0.7151522, 0.072175],
  [0.0193339, 0.119192, 0.9503041],
];
const BRADFORD = [
  [1.0478112, 0.0228866, -0.050127],
  [0.0295424, 0.9904844, -0.0170491],
  [-0.0092345, 0.0150436, 0.7521316],
];
const WHITE = [0.96422, 1, 0.82521];
const D65 = [0.95047, 1, 1.08883];

const times = (matrix: readonly (readonly number[])[], vector: readonly number[]): number[] =>
  matrix.map((row) => row.reduce((sum, each, i) => sum + each * vector[i]!, 0));

function toLab(srgb: readonly number[], white = WHITE): number[] {
  const linear = srgb.map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  const xyz = times(XYZ, linear);
  const [x, y, z] = (white === D65 ? xyz : times(BRADFORD, xyz)).map((v, i) => {
    const part = v / white[i]!;
    return part > 216 / 24_389 ? Math.cbrt(part) : ((24_389 / 27) * part + 16) / 116;
  });
  return [116 * y! - 16, 500 * (x! - y!), 200 * (y! - z!)];
}

/** Lab as libvips stores it: in units of CIE 15, with the white of sRGB. */
const FLOAT_LAB: Coder = {
  ...{ photometric: 8, colours: 3, tags: [] },
  encode: (x, y, alpha) => toLab(colourAt(x, y), D65).map((value) => value * alpha),
  decode: (samples, alpha) =>
    toSrgb(
      samples.map((value) => value / alpha),
      D65,
    ),
};

/** L 0 to 100 over all codes; a and b in two's complement, in units at 8 bits and in 256ths at 16 bits. */
function labCodes([l, a, b]: readonly number[], bits: number, alpha: number): number[] {
  const most = 2 ** bits - 1;
  const code = (value: number): number => {
    const signed = Math.round(value * alpha * 2 ** (bits - 8));
    return (signed < 0 ? signed + 2 ** bits : signed) / most;
  };
  return [(l! / 100) * alpha, code(a!), code(b!)];
}

/** The colour with these codes, exact to one unit; found by a search of the picture. */
function fromLab(samples: readonly number[], bits: number, alpha: number): number[] {
  const most = 2 ** bits - 1;
  const signed = (value: number): number => {
    const code = Math.round(value * most);
    return (code >= 2 ** (bits - 1) ? code - 2 ** bits : code) / 2 ** (bits - 8) / alpha;
  };
  const lab = [(samples[0]! / alpha) * 100, signed(samples[1]!), signed(samples[2]!)];
  return toSrgb(lab);
}

function toSrgb([l, a, b]: readonly number[], white = WHITE): number[] {
  const y = (l! + 16) / 116;
  const xyz = [y + a! / 500, y, y - b! / 200].map((f, i) => {
    const part = f ** 3 > 216 / 24_389 ? f ** 3 : (116 * f - 16) / (24_389 / 27);
    return part * white[i]!;
  });
  const linear = times(inverse(XYZ), white === D65 ? xyz : times(inverse(BRADFORD), xyz));
  return linear.map((v) => (v <= 0.0031308 ? v * 12.92 : 1.055 * v ** (1 / 2.4) - 0.055));
}

/** By Cramer's rule. */
function inverse(m: readonly (readonly number[])[]): number[][] {
  const minor = (r: number, c: number): number => {
    const [p, q] = [0, 1, 2].filter((i) => i !== r).map((i) => m[i]!.filter((_, j) => j !== c));
    return p![0]! * q![1]! - p![1]! * q![0]!;
  };
  const determinant = [0, 1, 2].reduce((sum, c) => sum + (-1) ** c * m[0]![c]! * minor(0, c), 0);
  return [0, 1, 2].map((r) => [0, 1, 2].map((c) => ((-1) ** (r + c) * minor(c, r)) / determinant));
}
