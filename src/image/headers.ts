/** Recognises headers without a magic number: the format must allow the value of every field. */

/** PCX: manufacturer 10, version, encoding, bits, a window; after the palette, a zero and the number of planes. */
export function isPcx(bytes: Buffer): boolean {
  if (bytes.length < 128 || bytes[0] !== 0x0a) return false;
  const [version, encoding, bits, planes] = [bytes[1]!, bytes[2]!, bytes[3]!, bytes[65]!];
  const window = [4, 6, 8, 10].map((at) => bytes.readUInt16LE(at));
  return (
    [0, 2, 3, 4, 5].includes(version) &&
    encoding <= 1 &&
    [1, 2, 4, 8].includes(bits) &&
    window[0]! <= window[2]! &&
    window[1]! <= window[3]! &&
    bytes[64] === 0 &&
    planes >= 1 &&
    planes <= 4
  );
}

const FOOTER = 'TRUEVISION-XFILE.\0';

/** Bits per pixel by Targa image type: colour-mapped, full colour, grey. */
const DEPTHS: Readonly<Record<number, readonly number[]>> = {
  1: [8, 16],
  2: [15, 16, 24, 32],
  3: [8, 16],
  9: [8, 16],
  10: [15, 16, 24, 32],
  11: [8, 16],
};

/** Recognises Targa by its footer (version 2) or by its header. */
export function isTarga(bytes: Buffer): boolean {
  if (bytes.length < 18) return false;
  if (bytes.toString('latin1', bytes.length - FOOTER.length) === FOOTER) return true;
  const [type, depth, descriptor] = [bytes[2]!, bytes[16]!, bytes[17]!];
  const depths = DEPTHS[type];
  if (depths === undefined || !depths.includes(depth)) return false;
  const [width, height] = [bytes.readUInt16LE(12), bytes.readUInt16LE(14)];
  // The low four bits count the alpha bits; bits 6 and 7 are unused.
  const attributes = descriptor & 0x0f;
  if (width === 0 || height === 0 || descriptor >= 0x40 || ![0, 1, 8].includes(attributes)) return false;
  return hasColourMap(bytes, type === 1 || type === 9);
}

/** Checks the five bytes of the colour map. Only an image with indexed colours must have a colour map. */
function hasColourMap(bytes: Buffer, isNeeded: boolean): boolean {
  const [kind, entries, bits] = [bytes[1]!, bytes.readUInt16LE(5), bytes[7]!];
  if (kind === 0) return !isNeeded && bytes.readUInt16LE(3) === 0 && entries === 0 && bits === 0;
  return kind === 1 && entries > 0 && entries <= 4096 && [15, 16, 24, 32].includes(bits);
}
