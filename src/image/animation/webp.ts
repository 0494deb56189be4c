import { type Chunk, chunksOf } from '../chunks.ts';
import { HAS_ALPHA, webpFile } from '../webp.ts';
import { type Animation, delayOf, type StoredFrame } from './animation.ts';

/** Bytes of a frame's description, before its chunks (WebP container specification, `ANMF`). */
const DESCRIPTION = 16;

/** Flags of `ANMF`: the area is cleared afterwards; the frame replaces what is there. */
const CLEARED = 1;
const REPLACES = 2;

/** Splits an animated WebP into its first `most` frames, and counts the others. */
export function webpAnimation(bytes: Buffer, most: number): Animation {
  const frames: Chunk[] = [];
  let count = 0;
  // The background colour comes first; no browser uses it.
  let loop = 0;
  let profile: Buffer | null = null;
  for (const chunk of chunksOf(bytes, 'webp', true)) {
    const { type, at, length } = chunk;
    if (type === 'ANIM' && length >= 6) loop = bytes.readUInt16LE(at + 4);
    if (type === 'ICCP') profile = bytes.subarray(at, at + length);
    if (type === 'ANMF' && length > DESCRIPTION && count++ < most) frames.push(chunk);
  }
  return { frames: frames.map((chunk) => partOf(bytes, chunk, profile)), count, loop };
}

function partOf(bytes: Buffer, { at, length }: Chunk, profile: Buffer | null): StoredFrame {
  const [left, top, width, height, delay] = [0, 3, 6, 9, 12].map((from) => bytes.readUIntLE(at + from, 3));
  const flags = bytes[at + 15]!;
  const inner = bytes.subarray(at + DESCRIPTION, at + length);
  return {
    left: left! * 2,
    top: top! * 2,
    width: width! + 1,
    height: height! + 1,
    delay: delayOf(delay!),
    after: flags & CLEARED ? 'cleared' : 'stays',
    over: (flags & REPLACES) === 0,
    // The decoder notices damage.
    isWhole: true,
    picture: () => alone(inner, bytes.subarray(at + 6, at + 12), profile),
  };
}

/** A WebP with one frame of this size. Each frame is converted by the profile of the file. */
function alone(inner: Buffer, size: Buffer, icc: Buffer | null): Buffer {
  const isTransparent = ['ALPH', 'VP8L'].includes(inner.toString('latin1', 0, 4));
  const head = Buffer.concat([Buffer.from([isTransparent ? HAS_ALPHA : 0, 0, 0, 0]), size]);
  return webpFile(head, [inner], { icc });
}
