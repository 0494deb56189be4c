/** Signatures that are more than a few bytes in fixed places. */

/** Matches words with white space and comments between them. It cannot backtrack: each character fits in one way. */
export function netpbm(...words: readonly string[]): RegExp {
  return new RegExp(`^${words.join('(?:\\s|#[^\\r\\n]*[\\r\\n])+')}\\s`);
}

export const NUMBER = '\\d+';
export const XBM =
  /^\s*(?:\/\*(?:[^*]|\*(?!\/))*\*\/\s*)*#define\s+\w*_?width\s+\d+\s+#define\s+\w*_?height\s+\d/;

/** An icon or a cursor, with at least one picture. */
export const ICON = /^\0\0[\x01\x02]\0(?:[^\0]|\0[^\0])/s;

/** PCX: manufacturer 10, version, encoding, bits, a window; after the palette, a zero and the number of planes. */
export function isPcx(bytes: Buffer): boolean {
  const start = bytes.toString('latin1', 0, 4);
  if (bytes.length < 128 || !/^\x0a[\0\x02-\x05][\0\x01][\x01\x02\x04\x08]/.test(start)) return false;
  const [left, top, right, bottom] = [4, 6, 8, 10].map((at) => bytes.readUInt16LE(at));
  const planes = bytes[65]!;
  return left! <= right! && top! <= bottom! && bytes[64] === 0 && planes >= 1 && planes <= 4;
}

const FOOTER = 'TRUEVISION-XFILE.\0';

/** Bits per pixel by Targa image type without its run-length bit: none, colour-mapped, full colour, grey. */
const DEPTHS = [[], [8, 16], [15, 16, 24, 32], [8, 16]];
const RUN_LENGTH = 8;

/** Recognises Targa by its footer (version 2), or by a header with allowed values in every field. */
export function isTarga(bytes: Buffer): boolean {
  if (bytes.length < 18) return false;
  if (bytes.toString('latin1', bytes.length - FOOTER.length) === FOOTER) return true;
  const [type, depth, descriptor] = [bytes[2]! & ~RUN_LENGTH, bytes[16]!, bytes[17]!];
  if (!DEPTHS[type]?.includes(depth)) return false;
  const [width, height] = [bytes.readUInt16LE(12), bytes.readUInt16LE(14)];
  // The low four bits count the alpha bits; bits 6 and 7 are unused.
  if (width === 0 || height === 0 || descriptor >= 0x40 || ![0, 1, 8].includes(descriptor & 0x0f))
    return false;
  return hasColourMap(bytes, type === 1);
}

/** Checks the five bytes of the colour map. Only an image with indexed colours must have a colour map. */
function hasColourMap(bytes: Buffer, isNeeded: boolean): boolean {
  const [kind, entries, bits] = [bytes[1]!, bytes.readUInt16LE(5), bytes[7]!];
  if (kind === 0) return !isNeeded && bytes.readUInt16LE(3) === 0 && entries === 0 && bits === 0;
  return kind === 1 && entries > 0 && entries <= 4096 && [15, 16, 24, 32].includes(bits);
}
