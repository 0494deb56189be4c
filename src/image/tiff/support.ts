import { ImgtoolError } from '../../errors.ts';
import { RESAVE } from '../unreadable.ts';
import type { Layout } from './layout.ts';
import { COMPRESSION as C, PHOTOMETRIC as P } from './tags.ts';

/** Compressions that nothing here reads, by code. */
const COMPRESSIONS: readonly (readonly [name: string, ...codes: number[]])[] = [
  ['old-style JPEG', 6],
  ['JBIG', 9, 10, 34661],
  ['NeXT', 32766],
  ['ThunderScan', 32809],
  ['Pixar film', 32908],
  ['PixarLog', 32909],
  ['JPEG 2000', 33003, 33004, 33005, 34712],
  ['LogLuv', 34676, 34677],
  ['LERC', 34887],
  ['LZMA', 34925],
  ['ZSTD', 50000],
  ['JPEG XL', 50002, 52546],
];

/** CCITT compressions of fax: RLE, group 3, group 4, RLE in words. */
const CCITT: ReadonlySet<number> = new Set([2, 3, 4, 32771]);
/** Compressions that plain.ts decompresses. */
const UNPACKED: ReadonlySet<number> = new Set([C.none, C.lzw, C.deflate, C.oldDeflate, C.packbits]);
const KNOWN: ReadonlySet<number> = new Set([...UNPACKED, ...CCITT, C.jpeg, C.webp]);

const SAVE_AS_RGB = 'save it as an 8- or 16-bit RGB TIFF or PNG first';
const REARRANGE = 'save it in strips, or with the samples of a pixel together (chunky)';

/** The error for a sound TIFF that nothing here can read. */
export function tiffRefusal(reason: string, fix: string = SAVE_AS_RGB): ImgtoolError {
  return new ImgtoolError('unsupported_format', `cannot decode a TIFF with ${reason}`, { fix });
}

/**
 * True when libvips reads the stored pixels, false when plain.ts must rewrite them: libvips decodes many layouts to wrong
 * pixels without an error (test/image/tiff/table.test.ts, libvips 8.18.7). Errors: `unsupported_format`.
 */
export function libvipsReads(layout: Layout, inkSet: number): boolean {
  const refusal = refusalOf(layout, inkSet);
  if (refusal !== null) throw tiffRefusal(...refusal);
  return isCorrectInLibvips(layout);
}

/** Returns what is not supported, and the fix; null for a readable layout. */
function refusalOf(layout: Layout, inkSet: number): [reason: string, fix?: string] | null {
  const { compression, photometric, model, bits, format, samples, colours, extra, planes, tiled } = layout;
  const resave = RESAVE.compression;
  const [packing] = COMPRESSIONS.find(([, ...codes]) => codes.includes(compression)) ?? [];
  if (packing !== undefined) return [`${packing} compression`, resave];
  if (!KNOWN.has(compression)) return [`compression ${compression}`, resave];
  if (model === undefined) return [`photometric interpretation ${photometric}${NAMES[photometric] ?? ''}`];
  if (photometric === P.cmyk && inkSet !== 1) return ['inks other than CMYK'];
  if (extra.length > 1) return [`${samples} channels`];
  if (colours < model.samples) return [`${model.name} of ${samples} channels`];
  if (bits === 0) return [`samples of different sizes (${layout.bitsOfEach.join(', ')} bits)`];
  if (format === 5 || format === 6) return ['samples that are complex numbers'];
  const what = samplesOf(layout);
  if (format === 2) return [`${what} (none of their values is defined as black)`];
  if (!(format === 3 ? model.floats : model.unsigned).includes(bits)) return [what];
  if (planes > 1 && tiled) return ['tiles in separate planes', REARRANGE];
  if (compression === C.jpeg && tiled && extra.length > 0) return ['JPEG tiles with alpha', resave];
  if (compression === C.jpeg && bits !== 8) return [`${what} in JPEG compression`, resave];
  if (compression === C.webp && bits !== 8) return [`${what} in WebP compression`, resave];
  if (CCITT.has(compression) && bits * samples !== 1) return [`${what} in fax compression`, resave];
  if (UNPACKED.has(compression)) return null;
  if (planes > 1) return ['separate planes with this compression', resave];
  return isCorrectInLibvips(layout) ? null : [`${what} with this compression (${compression})`, resave];
}

/** Names of other photometric interpretations. */
const NAMES: Readonly<Record<number, string>> = {
  ...{ 4: ' (a transparency mask)', 10: ' (ITU Lab)', 32844: ' (LogL)', 32845: ' (LogLuv)' },
};

function isCorrectInLibvips({ photometric, compression, bits, format, extra, planes }: Layout): boolean {
  if (format !== 1) return false;
  const alpha = extra.length > 0;
  const planar = planes > 1;
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
function samplesOf({ bits, format, model }: Layout): string {
  const kind = format === 2 ? 'signed ' : '';
  const number = format === 3 ? ' floating-point' : '';
  return `${kind}${bits}-bit${number} ${model?.name} samples`;
}
