import { Bits } from './boxes.ts';

/** Code points of ITU-T H.273 (ISO/IEC 23091-2), as stored in AV1, in `colr` of type `nclx` and in PNG's `cICP`. */
export type CodePoints = { readonly primaries: number; readonly transfer: number };

const SEQUENCE_HEADER = 1;

/** The most units to search: the sequence header is the first unit, or it follows a delimiter. */
const MAX_UNITS = 16;

/** Returns the colour description of an AV1 sequence header (AV1 specification, 5.3 to 5.5), or null without one. */
export function codePointsOf(stream: Buffer): CodePoints | null {
  const bits = new Bits(stream);
  for (let units = 0; units < MAX_UNITS && !bits.isAtEnd; units++) {
    bits.skip(1);
    const type = bits.next(4);
    const [isExtended, isSized] = [bits.next(1), bits.next(1)];
    bits.skip(isExtended ? 9 : 1);
    const size = isSized ? leb128(bits) : Number.POSITIVE_INFINITY;
    if (type === SEQUENCE_HEADER) return colourConfig(bits, skipToColours(bits));
    bits.skip(size * 8);
  }
  return null;
}

/** Reads up to the colour description and returns the profile, which decides how to read that description. */
function skipToColours(bits: Bits): number {
  const profile = bits.next(3);
  bits.skip(1);
  const isReduced = bits.next(1) === 1;
  if (isReduced) bits.skip(5);
  else skipOperatingPoints(bits);
  const [across, down] = [bits.next(4) + 1, bits.next(4) + 1];
  bits.skip(across + down);
  if (!isReduced && bits.next(1)) bits.skip(7);
  bits.skip(3);
  if (!isReduced) skipTools(bits);
  bits.skip(3);
  return profile;
}

function skipOperatingPoints(bits: Bits): void {
  let delay = 0;
  if (bits.next(1)) {
    bits.skip(64);
    if (bits.next(1)) {
      let zeros = 0;
      while (zeros < 32 && !bits.next(1)) zeros++;
      bits.skip(zeros);
    }
    if (bits.next(1)) {
      delay = bits.next(5) + 1;
      bits.skip(42);
    }
  }
  const hasDisplayDelay = bits.next(1);
  for (let left = bits.next(5); left >= 0; left--) {
    bits.skip(12);
    if (bits.next(5) > 7) bits.skip(1);
    if (delay > 0 && bits.next(1)) bits.skip(2 * delay + 1);
    if (hasDisplayDelay && bits.next(1)) bits.skip(4);
  }
}

function skipTools(bits: Bits): void {
  bits.skip(4);
  const hasOrder = bits.next(1);
  if (hasOrder) bits.skip(2);
  const isChosen = bits.next(1);
  if ((isChosen || bits.next(1)) && !bits.next(1)) bits.skip(1);
  if (hasOrder) bits.skip(3);
}

function colourConfig(bits: Bits, profile: number): CodePoints | null {
  const isDeep = bits.next(1);
  if (profile === 2 && isDeep) bits.skip(1);
  if (profile !== 1) bits.skip(1);
  if (!bits.next(1)) return null;
  const found = { primaries: bits.next(8), transfer: bits.next(8) };
  // 0 is reserved, and the number beyond the end.
  return found.transfer === 0 ? null : found;
}

function leb128(bits: Bits): number {
  let value = 0;
  for (let i = 0; i < 8; i++) {
    const byte = bits.next(8);
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) break;
  }
  return value;
}
