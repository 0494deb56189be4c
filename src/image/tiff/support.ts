import { ImgtoolError } from '../../errors.ts';
import { RESAVE } from '../formats.ts';
import type { Layout } from './layout.ts';
import { COMPRESSION as C, PHOTOMETRIC as P } from './tags.ts';

/** Who reads the stored pixels: libvips, or plain.ts, which rewrites them for libvips. */
export type Reading = 'libvips' | 'rewritten';

const COMPRESSIONS: Readonly<Record<number, string>> = {
  6: 'old-style JPEG',
  9: 'JBIG',
  10: 'JBIG',
  32766: 'NeXT',
  32809: 'ThunderScan',
  32908: 'Pixar film',
  32909: 'PixarLog',
  33003: 'JPEG 2000',
  33004: 'JPEG 2000',
  33005: 'JPEG 2000',
  34661: 'JBIG',
  34676: 'LogLuv',
  34677: 'LogLuv',
  34712: 'JPEG 2000',
  34887: 'LERC',
  34925: 'LZMA',
  50000: 'ZSTD',
  50002: 'JPEG XL',
  52546: 'JPEG XL',
};

const COLOURS: Readonly<Record<number, string>> = {
  [P.whiteIsZero]: 'grey',
  [P.blackIsZero]: 'grey',
  [P.rgb]: 'RGB',
  [P.palette]: 'palette',
  [P.cmyk]: 'CMYK',
  [P.ycbcr]: 'YCbCr',
  [P.cielab]: 'Lab',
  [P.icclab]: 'Lab',
};

const CCITT: ReadonlySet<number> = new Set([C.ccittRle, C.ccittG3, C.ccittG4, C.ccittRleWord]);
/** Compressions that plain.ts decompresses. */
const UNPACKED: ReadonlySet<number> = new Set([C.none, C.lzw, C.deflate, C.oldDeflate, C.packbits]);

/**
 * Decides by layout how to read a TIFF. The rules match the table in test/image/tiff/table.test.ts, measured with
 * libvips 8.18.7: libvips decodes many layouts to wrong pixels without an error. Errors: `unsupported_format`.
 */
export function readingOf(layout: Layout, inkSet: number): Reading {
  const unknown = unknownCompression(layout);
  if (unknown !== null) throw tiffRefusal(unknown, RESAVE.compression);
  const reason = unsupported(layout, inkSet);
  if (reason !== null) throw tiffRefusal(reason);
  if (layout.planar && layout.tiled) throw tiffRefusal('tiles in separate planes', REARRANGE);
  const unsuited = unsuitedCompression(layout);
  if (unsuited !== null) throw tiffRefusal(unsuited, RESAVE.compression);
  if (libvipsReads(layout)) return 'libvips';
  if (UNPACKED.has(layout.compression)) return 'rewritten';
  throw tiffRefusal(`${samplesOf(layout)} with this compression (${layout.compression})`, RESAVE.compression);
}

/** Names a compression that neither libvips nor plain.ts supports; else null. */
function unknownCompression({ compression }: Layout): string | null {
  const packed = COMPRESSIONS[compression];
  if (packed !== undefined) return `${packed} compression`;
  const isKnown = UNPACKED.has(compression) || CCITT.has(compression);
  return isKnown || compression === C.jpeg || compression === C.webp ? null : `compression ${compression}`;
}

/** Names colours or samples that neither libvips nor plain.ts supports; else null. */
function unsupported(layout: Layout, inkSet: number): string | null {
  const { photometric, bits, bitsOfEach, format, samples, colours, extra } = layout;
  const colour = COLOURS[photometric];
  if (colour === undefined) return `photometric interpretation ${photometric}${NAMES[photometric] ?? ''}`;
  if (colour === 'CMYK' && inkSet !== 1) return 'inks other than CMYK';
  if (extra.length > 1) return `${samples} channels`;
  if (colours < (COLOUR_SAMPLES[colour] ?? 1)) return `${colour} of ${samples} channels`;
  if (bits === 0) return `samples of different sizes (${bitsOfEach.join(', ')} bits)`;
  if (format === 5 || format === 6) return 'samples that are complex numbers';
  if (format === 2) return `${samplesOf(layout)} (none of their values is defined as black)`;
  const sizes = format === 3 ? FLOATS : (SIZES[colour] ?? []);
  return sizes.includes(bits) && (format !== 3 || FLOATING.has(colour)) ? null : samplesOf(layout);
}

/** Names a combination that is supported only with other compressions; else null. */
function unsuitedCompression(layout: Layout): string | null {
  const { compression, bits, samples, extra } = layout;
  if (compression === C.jpeg && layout.tiled && extra.length > 0) return 'JPEG tiles with alpha';
  if ((compression === C.jpeg || compression === C.webp) && bits !== 8) {
    return `${samplesOf(layout)} in ${compression === C.jpeg ? 'JPEG' : 'WebP'} compression`;
  }
  if (CCITT.has(compression) && bits * samples !== 1) return `${samplesOf(layout)} in fax compression`;
  if (layout.planar && !UNPACKED.has(compression)) return 'separate planes with this compression';
  return null;
}

const COLOUR_SAMPLES: Readonly<Record<string, number>> = { RGB: 3, CMYK: 4, YCbCr: 3, Lab: 3 };
const NAMES: Readonly<Record<number, string>> = {
  [P.mask]: ' (a transparency mask)',
  [P.itulab]: ' (ITU Lab)',
  [P.logL]: ' (LogL)',
  [P.logLuv]: ' (LogLuv)',
};

/** Supported bits of unsigned samples. */
const SIZES: Readonly<Record<string, readonly number[]>> = {
  grey: [1, 2, 4, 8, 16, 32],
  RGB: [1, 2, 4, 8, 16, 32],
  palette: [1, 2, 4, 8, 16],
  CMYK: [8, 16, 32],
  YCbCr: [8],
  Lab: [8, 16],
};
const FLOATS: readonly number[] = [16, 32];
const FLOATING: ReadonlySet<string> = new Set(['grey', 'RGB', 'CMYK']);

function libvipsReads(layout: Layout): boolean {
  const { photometric, compression, bits, format, extra, planar } = layout;
  if (format !== 1) return false;
  const alpha = extra.length > 0;
  switch (photometric) {
    case P.whiteIsZero:
    case P.blackIsZero:
      return !planar && (bits === 8 || bits === 16 || (!alpha && bits < 8));
    case P.rgb:
      return (bits === 8 || bits === 16) && !(planar && alpha);
    case P.palette:
      return !alpha;
    case P.cmyk:
      return bits === 8 ? !(planar && alpha) : bits === 16 && !alpha;
    case P.ycbcr:
      return compression === C.jpeg;
    default:
      return false;
  }
}

/** A common name such as `signed 16-bit RGB samples`. */
function samplesOf({ bits, format, photometric }: Layout): string {
  const kind = format === 2 ? 'signed ' : '';
  const number = format === 3 ? ' floating-point' : '';
  const colour = COLOURS[photometric];
  return `${kind}${bits}-bit${number} ${colour === undefined ? '' : `${colour} `}samples`;
}

const CONVERT = 'save it as an 8- or 16-bit RGB TIFF or PNG first';
const REARRANGE = 'save it in strips, or with the samples of a pixel together (chunky)';

/** The error for a sound TIFF that nothing here can read. */
export function tiffRefusal(reason: string, fix: string = CONVERT): ImgtoolError {
  return new ImgtoolError('unsupported_format', `cannot decode a TIFF with ${reason}`, { fix });
}
