import { blocksOf, colourTable, EXTENSION, frameAt, LABEL, LOOPS } from '../gif.ts';
import { type Animation, delayOf, type StoredFrame } from './animation.ts';

/** What a control extension says about the next frame (GIF89a, 23). */
type Control = { readonly flags: number; readonly delay: number; readonly clear: number };

const NO_CONTROL: Control = { flags: 0, delay: 0, clear: 0 };

/**
 * Splits a GIF into its first `most` frames, and counts the others, up to any damage. A GIF that does not say how often it
 * plays is played once.
 */
export function gifAnimation(bytes: Buffer, most: number): Animation {
  const frames: StoredFrame[] = [];
  let count = 0;
  let loop = 1;
  let control = NO_CONTROL;
  let at = 13 + colourTable(bytes[10] ?? 0);
  for (;;) {
    if (bytes[at] === EXTENSION) {
      const { blocks, end } = blocksOf(bytes, at + 2);
      if (bytes[at + 1] === LABEL.control) control = controlOf(blocks[0]) ?? control;
      if (bytes[at + 1] === LABEL.application) loop = playsOf(blocks) ?? loop;
      at = end;
      continue;
    }
    const found = frameAt(bytes, at);
    if (found === undefined) return { frames, count, loop };
    if (count++ < most) frames.push(partOf(bytes, at, found, control));
    control = NO_CONTROL;
    at = found.end;
  }
}

function controlOf(block: Buffer | undefined): Control | undefined {
  if (block === undefined || block.length < 4) return undefined;
  return { flags: block[0]!, delay: block.readUInt16LE(1) * 10, clear: block[3]! };
}

/** The file states how often the animation is repeated; 0 means without end. */
function playsOf([name, block]: readonly Buffer[]): number | undefined {
  if (name === undefined || !LOOPS.has(name.toString('latin1'))) return undefined;
  if (block === undefined || block.length < 3 || block[0] !== 1) return undefined;
  const repeats = block.readUInt16LE(1);
  return repeats === 0 ? 0 : repeats + 1;
}

const AFTER: readonly StoredFrame['after'][] = ['stays', 'stays', 'cleared', 'restored'];

function partOf(
  bytes: Buffer,
  at: number,
  found: NonNullable<ReturnType<typeof frameAt>>,
  control: Control,
): StoredFrame {
  const { left, top, width, height, isWhole, end } = found;
  return {
    ...{ left, top, width, height, isWhole },
    delay: delayOf(control.delay),
    after: AFTER[(control.flags >> 2) & 7] ?? 'stays',
    over: true,
    picture: () => (width === 0 || height === 0 ? null : alone(bytes, at, end, control)),
  };
}

/** A GIF with one frame, which covers its screen. */
function alone(bytes: Buffer, at: number, end: number, { flags, clear }: Control): Buffer {
  const shared = bytes.subarray(13, 13 + colourTable(bytes[10]!));
  const size = bytes.subarray(at + 5, at + 9);
  return Buffer.concat([
    Buffer.from('GIF89a', 'latin1'),
    ...[size, Buffer.from([bytes[10]!, 0, 0]), shared],
    Buffer.from([EXTENSION, LABEL.control, 4, flags & 1, 0, 0, clear, 0]),
    // The frame begins at the corner.
    ...[bytes.subarray(at, at + 1), Buffer.alloc(4), bytes.subarray(at + 5, end)],
    Buffer.from([0, 0x3b]),
  ]);
}
