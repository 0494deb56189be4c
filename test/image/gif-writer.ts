/** Writes GIF files frame by frame (GIF89a), in forms that no encoder here produces. */

export interface Frame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  /** The index of the frame's only colour. */
  readonly colour: number;
  /** The transparent index. */
  readonly transparent?: number;
}

/** Black, red, green, blue and white; the rest is grey. */
export const COLOURS = [
  [0, 0, 0],
  [255, 0, 0],
  [0, 255, 0],
  [0, 0, 255],
  [255, 255, 255],
] as const;

/** Frames of one colour each on a screen of this size; `background` is the screen's colour index. */
export function gif(width: number, height: number, frames: readonly Frame[], background = 0): Buffer {
  const table = Buffer.alloc(128 * 3, 128);
  for (const [i, colour] of COLOURS.entries()) table.set(colour, i * 3);
  return Buffer.concat([
    Buffer.from('GIF89a', 'latin1'),
    short(width),
    short(height),
    // A table of 128 colours follows.
    Buffer.from([0xf6, background, 0]),
    table,
    ...frames.map(frameOf),
    Buffer.from([0x3b]),
  ]);
}

function frameOf({ left, top, width, height, colour, transparent }: Frame): Buffer {
  const control = Buffer.from([0x21, 0xf9, 4, transparent === undefined ? 0 : 1, 10, 0, transparent ?? 0, 0]);
  const place = Buffer.concat([
    Buffer.from([0x2c]),
    ...[left, top, width, height].map(short),
    Buffer.from([0]),
  ]);
  return Buffer.concat([control, place, pixels(width * height, colour)]);
}

const CLEAR = 128;
const END = 129;

/** LZW that clears its table before codes get longer than a byte. */
function pixels(count: number, colour: number): Buffer {
  const codes: number[] = [];
  for (let i = 0; i < count; i++) codes.push(...(i % 100 === 0 ? [CLEAR, colour] : [colour]));
  codes.push(END);
  const blocks: Buffer[] = [Buffer.from([7])];
  for (let at = 0; at < codes.length; at += 255) {
    const block = codes.slice(at, at + 255);
    blocks.push(Buffer.from([block.length, ...block]));
  }
  return Buffer.concat([...blocks, Buffer.from([0])]);
}

function short(value: number): Buffer {
  const data = Buffer.alloc(2);
  data.writeUInt16LE(value);
  return data;
}
