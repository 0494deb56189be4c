/** Writes animated GIFs of any pixels, and composes their frames as browsers do, without a decoder. */

/** A frame of indices into its colours. */
export interface GifFrame {
  readonly left?: number;
  readonly top?: number;
  readonly width: number;
  readonly height: number;
  /** One index for each pixel. */
  readonly pixels: readonly number[];
  /** Colours of the frame alone. */
  readonly colours?: readonly Colour[];
  /** Hundredths of a second. */
  readonly delay?: number;
  /** 0 and 1 keep the frame, 2 clears its area, 3 restores what was there. */
  readonly disposal?: number;
  /** The transparent index. */
  readonly clear?: number;
}

export type Colour = readonly [red: number, green: number, blue: number];

export interface Gif {
  readonly width: number;
  readonly height: number;
  readonly colours?: readonly Colour[];
  /** The number in the file: how often the animation is repeated. Undefined leaves it out. */
  readonly repeats?: number | undefined;
  readonly background?: number;
  readonly frames: readonly GifFrame[];
}

/** The bytes of the GIF (GIF89a). */
export function writeGif({ width, height, colours, repeats, background = 0, frames }: Gif): Buffer {
  const table = colours === undefined ? null : tableOf(colours);
  return Buffer.concat([
    Buffer.from('GIF89a', 'latin1'),
    ...[
      short(width),
      short(height),
      Buffer.from([table === null ? 0 : 0x80 | (table.bits - 1), background, 0]),
    ],
    table?.bytes ?? Buffer.alloc(0),
    repeats === undefined
      ? Buffer.alloc(0)
      : Buffer.concat([
          Buffer.from('\x21\xff\x0bNETSCAPE2.0\x03\x01', 'latin1'),
          short(repeats),
          Buffer.of(0),
        ]),
    ...frames.map((frame) => frameOf(frame, colours ?? [])),
    Buffer.of(0x3b),
  ]);
}

function frameOf(frame: GifFrame, shared: readonly Colour[]): Buffer {
  const { left = 0, top = 0, width, height, pixels, colours, delay = 0, disposal = 0, clear } = frame;
  const own = colours === undefined ? null : tableOf(colours);
  const { bits } = own ?? tableOf(shared);
  const flags = (disposal << 2) | (clear === undefined ? 0 : 1);
  return Buffer.concat([
    ...[Buffer.of(0x21, 0xf9, 4, flags), short(delay), Buffer.of(clear ?? 0, 0)],
    ...[Buffer.of(0x2c), short(left), short(top), short(width), short(height)],
    ...[Buffer.of(own === null ? 0 : 0x80 | (own.bits - 1)), own?.bytes ?? Buffer.alloc(0)],
    packed(pixels, Math.max(2, bits)),
  ]);
}

function tableOf(colours: readonly Colour[]) {
  const bits = Math.max(1, Math.ceil(Math.log2(colours.length)));
  const bytes = Buffer.alloc(3 * 2 ** bits);
  for (const [i, colour] of colours.entries()) bytes.set(colour, i * 3);
  return { bits, bytes };
}

/** LZW without compression: the table is cleared before its codes get longer. */
function packed(pixels: readonly number[], bits: number): Buffer {
  const clear = 1 << bits;
  const codes = pixels.flatMap((pixel, i) => (i % (clear - 2) === 0 ? [clear, pixel] : [pixel]));
  const bytes: number[] = [];
  let [held, count] = [0, 0];
  for (const code of [...codes, clear + 1]) {
    held |= code << count;
    for (count += bits + 1; count >= 8; count -= 8, held >>>= 8) bytes.push(held & 255);
  }
  if (count > 0) bytes.push(held & 255);
  const blocks: Buffer[] = [Buffer.of(bits)];
  for (let at = 0; at < bytes.length; at += 255) {
    const block = bytes.slice(at, at + 255);
    blocks.push(Buffer.from([block.length, ...block]));
  }
  return Buffer.concat([...blocks, Buffer.of(0)]);
}

function short(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

/** The RGBA pixels that each frame shows. */
export function shownIn({ width, height, colours = [], frames }: Gif): Buffer[] {
  let canvas = Buffer.alloc(width * height * 4);
  return frames.map((frame) => {
    const { left = 0, top = 0, pixels, disposal = 0, clear } = frame;
    const before = Buffer.from(canvas);
    const set = (value: (index: number) => readonly number[] | null) => {
      for (const [i, index] of pixels.entries()) {
        const [x, y] = [left + (i % frame.width), top + Math.floor(i / frame.width)];
        const pixel = x < width && y < height ? value(index) : null;
        if (pixel !== null) canvas.set(pixel, (y * width + x) * 4);
      }
    };
    set((index) => (index === clear ? null : [...(frame.colours ?? colours)[index]!, 255]));
    const shown = Buffer.from(canvas);
    if (disposal === 2) set(() => [0, 0, 0, 0]);
    if (disposal === 3) canvas = before;
    return shown;
  });
}
