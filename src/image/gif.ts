/** A GIF's screen size, and its first frame. */
export type GifCanvas = Readonly<NonNullable<ReturnType<typeof gifCanvasOf>>>;

/** A screen this many times as large as its frame is a mistake; libnsgif ignores many such screens. */
const MAX_SCREEN_TO_FRAME = 1000;

/**
 * Returns the screen of a GIF (GIF89a, 18 and 20), enlarged to contain its first frame, as browsers show it; libnsgif
 * ignores many screens. Null when the frame covers the screen. A screen of more than `most` pixels is ignored.
 */
export function gifCanvasOf(bytes: Buffer, most: number) {
  const frame = firstFrame(bytes);
  if (frame === undefined || frame.width === 0 || frame.height === 0) return null;
  const extent = { width: frame.left + frame.width, height: frame.top + frame.height };
  const width = Math.max(bytes.readUInt16LE(6), extent.width);
  const height = Math.max(bytes.readUInt16LE(8), extent.height);
  const isTooLarge = width * height > Math.min(most, MAX_SCREEN_TO_FRAME * frame.width * frame.height);
  const screen = isTooLarge ? extent : { width, height };
  const isCovered = frame.width === screen.width && frame.height === screen.height;
  return isCovered ? null : { ...screen, frame };
}

const IMAGE = 0x2c;
export const EXTENSION = 0x21;
const TRAILER = 0x3b;

/** Returns a GIF's first frame on the screen, up to any damage; undefined when no frame begins. */
export function firstFrame(bytes: Buffer) {
  if (bytes.length < 13) return undefined;
  let at = 13 + colourTable(bytes[10]!);
  while (bytes[at] === EXTENSION) at = blocksOf(bytes, at + 2).end;
  return frameAt(bytes, at);
}

/**
 * Returns the frame whose description begins here, in pixels (GIF89a specification, 20 and appendix F); undefined when no
 * frame begins. `bytes` is the length of the compressed pixels. `isWhole` is false when the frame has too few pixels, as
 * some encoders write, and no valid GIF block follows it. `end` is the position behind it.
 */
export function frameAt(bytes: Buffer, from: number) {
  if (bytes[from] !== IMAGE || from + 11 > bytes.length) return undefined;
  const [left, top] = [bytes.readUInt16LE(from + 1), bytes.readUInt16LE(from + 3)];
  const [width, height] = [bytes.readUInt16LE(from + 5), bytes.readUInt16LE(from + 7)];
  const at = from + 10 + colourTable(bytes[from + 9]!);
  const { length, end } = blocksOf(bytes, at + 1);
  const next = bytes[end];
  const isFollowed = next === undefined || [IMAGE, EXTENSION, TRAILER].includes(next);
  const pixels = width * height;
  const isWhole =
    isFollowed || unpackedPixels(joined(bytes, at + 1, length), bytes[at] ?? 0, pixels) === pixels;
  return { left, top, width, height, bytes: length, isWhole, end };
}

/** The labels of extensions. */
export const LABEL = { control: 0xf9, comment: 0xfe, application: 0xff } as const;

/** The applications that say how often a GIF plays: one extension with two names. */
export const LOOPS: ReadonlySet<string> = new Set(['NETSCAPE2.0', 'ANIMEXTS1.0']);

/** Yields the extensions of a GIF (GIF89a, 23 to 26), up to any damage. */
export function* extensionsOf(bytes: Buffer) {
  let at = 13 + colourTable(bytes[10] ?? 0);
  for (;;) {
    if (bytes[at] === EXTENSION) {
      const { blocks, end } = blocksOf(bytes, at + 2);
      yield { label: bytes[at + 1], blocks };
      at = end;
    } else if (bytes[at] === IMAGE) at = blocksOf(bytes, at + 11 + colourTable(bytes[at + 9] ?? 0)).end;
    else return;
  }
}

/** Bytes of the colour table that these flags announce. */
export const colourTable = (packed: number): number => (packed & 0x80 ? 3 * 2 ** ((packed & 7) + 1) : 0);

/** The most blocks of which the contents are needed. */
const MOST_BLOCKS = 2;

/** Reads blocks of up to 255 bytes; an empty block ends them. `blocks` are the first ones; `length` is that of all. */
export function blocksOf(bytes: Buffer, from: number) {
  const blocks: Buffer[] = [];
  let [at, length] = [from, 0];
  for (let size = bytes[at]; size; size = bytes[at]) {
    if (blocks.length < MOST_BLOCKS) blocks.push(bytes.subarray(at + 1, at + 1 + size));
    length += Math.min(size, bytes.length - at - 1);
    at += 1 + size;
  }
  return { blocks, length, end: Math.min(bytes.length, at + 1) };
}

/** The contents of blocks that have this length together. */
function joined(bytes: Buffer, from: number, length: number): Buffer {
  const all = Buffer.alloc(length);
  for (let [at, to] = [from, 0]; to < length; at += 1 + bytes[at]!)
    to += bytes.copy(all, to, at + 1, at + 1 + bytes[at]!);
  return all;
}

const MAX_CODES = 4096;

/** Counts the pixels of the LZW codes, which start at the lowest bit. It keeps only the run length of each code. */
function unpackedPixels(packed: Buffer, bits: number, most: number): number {
  if (bits < 1 || bits > 11) return 0;
  const clear = 1 << bits;
  const runs = new Uint16Array(MAX_CODES).fill(1, 0, clear);
  let [at, size, next, before, pixels] = [0, bits + 1, clear + 2, 0, 0];
  while (at + size <= packed.length * 8 && pixels < most) {
    const from = Math.floor(at / 8);
    const held = packed[from]! | ((packed[from + 1] ?? 0) << 8) | ((packed[from + 2] ?? 0) << 16);
    const code = (held >> (at % 8)) & ((1 << size) - 1);
    at += size;
    if (code === clear) {
      [size, next, before] = [bits + 1, clear + 2, 0];
      continue;
    }
    // The next unknown code stands for the previous run plus that run's first pixel.
    if (code === clear + 1 || code > next || (before === 0 && code > clear)) break;
    if (before > 0 && next < MAX_CODES) runs[next++] = before + 1;
    if (next === 1 << size && size < 12) size++;
    before = runs[code]!;
    pixels += before;
  }
  return Math.min(pixels, most);
}
