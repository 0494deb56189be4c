import { crc32 } from 'node:zlib';
import { random } from '../random.ts';
import type { Sample } from './every-kind.ts';

/** Ways to damage the bytes of a picture. The same seed, number and pictures give the same file. */

/** One way to damage a picture. Its input is the picture, a random number generator and another picture. */
const DAMAGES: Readonly<
  Record<string, (bytes: Buffer, below: (most: number) => number, other: Buffer) => Buffer>
> = {
  flip(bytes, below) {
    const flipped = Buffer.from(bytes);
    for (let n = 1 + below(12); n > 0; n--) flipped[somewhere(bytes, below)]! ^= 1 << below(8);
    return flipped;
  },
  overwrite(bytes, below) {
    const written = Buffer.from(bytes);
    const values = [0x00, 0xff, 0x7f, 0x80, 0x01, below(256)];
    const value = values[below(values.length)]!;
    const start = somewhere(bytes, below);
    return written.fill(value, start, Math.min(bytes.length, start + 2 ** below(5)));
  },
  cut: (bytes, below) => bytes.subarray(0, below(bytes.length)),
  remove(bytes, below) {
    const start = somewhere(bytes, below);
    return Buffer.concat([bytes.subarray(0, start), bytes.subarray(start + 1 + below(200))]);
  },
  insert(bytes, below) {
    const start = somewhere(bytes, below);
    const from = below(bytes.length);
    const piece = bytes.subarray(from, from + 1 + below(200));
    return Buffer.concat([bytes.subarray(0, start), piece, bytes.subarray(start)]);
  },
  head: (bytes, below, other) => {
    const length = 4 + below(124);
    return Buffer.concat([other.subarray(0, length), bytes.subarray(length)]);
  },
};

/** In half of the calls the position is likely inside the header. */
function somewhere({ length }: Buffer, below: (most: number) => number): number {
  return below(below(2) === 0 ? Math.min(200, length) : length);
}

/** The n-th damaged picture of a seed. All groups are equally frequent. */
export function damaged(groups: readonly (readonly Sample[])[], seed: number, n: number): Sample {
  const next = random(seed * 1_000_003 + n);
  const below = (most: number) => Math.floor(next() * most);
  const one = <T>(of: readonly T[]): T => of[below(of.length)]!;
  const kind = one(Object.keys(DAMAGES));
  const { name, bytes } = one(one(groups));
  const harmed = DAMAGES[kind]!(bytes, below, one(one(groups)).bytes);
  const repaired = below(2) === 0 ? fixChecksums(harmed) : harmed;
  return { name: `${n}-${kind}-${name}`, bytes: repaired };
}

const PNG = Buffer.from('89504e470d0a1a0a', 'hex');

/** Corrects the checksums of a PNG, because a decoder stops at a wrong checksum before it meets the damage. */
function fixChecksums(bytes: Buffer): Buffer {
  const repaired = Buffer.from(bytes);
  if (!repaired.subarray(0, PNG.length).equals(PNG)) return repaired;
  for (let at = PNG.length; at + 12 <= repaired.length; ) {
    const end = at + 8 + repaired.readUInt32BE(at);
    if (end + 4 > repaired.length) break;
    repaired.writeUInt32BE(crc32(repaired.subarray(at + 4, end)), end);
    at = end + 4;
  }
  return repaired;
}
