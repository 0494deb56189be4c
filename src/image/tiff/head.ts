import type { Target } from './colours.ts';
import type { Layout } from './layout.ts';
import { TAG } from './tags.ts';

/** The contents of a plain copy's header. */
interface Head {
  readonly layout: Layout;
  readonly target: Target;
  readonly channels: number;
  readonly bits: number;
  readonly profile: Buffer;
  readonly orientation: number;
}

/** Builds the header of a little-endian TIFF with one strip, which follows the header. */
export function headOf({ layout, target, channels, bits, profile, orientation }: Head): Buffer {
  const { width, height, extra } = layout;
  const [SHORT, LONG, UNDEFINED] = [3, 4, 7];
  // 2: unassociated alpha (colours are not multiplied).
  const alpha = extra.length > 0 ? [[338, SHORT, 1, 2]] : [];
  const icc = profile.length > 0 ? [[TAG.IccProfile, UNDEFINED, profile.length, 0]] : [];
  const pixels = (width * height * channels * bits) / 8;
  const entries = [
    ...[
      [256, LONG, 1, width],
      [257, LONG, 1, height],
      [258, SHORT, channels, bits],
      [259, SHORT, 1, 1],
    ],
    ...[
      [262, SHORT, 1, target.photometric],
      [273, LONG, 1, 0],
      [274, SHORT, 1, orientation],
    ],
    ...[[277, SHORT, 1, channels], [278, LONG, 1, height], [279, LONG, 1, pixels], ...alpha, ...icc],
  ] as [number, number, number, number][];
  const sizesAt = 8 + 2 + entries.length * 12 + 4;
  const profileAt = sizesAt + 2 * 5 + 2;
  const head = Buffer.alloc(Math.ceil((profileAt + profile.length) / 8) * 8);
  head.write('II*\0\x08\0\0\0', 'latin1');
  head.writeUInt16LE(entries.length, 8);
  entries.forEach(([tag, type, count, value], i) => {
    const at = 10 + i * 12;
    head.writeUInt16LE(tag, at);
    head.writeUInt16LE(type, at + 2);
    head.writeUInt32LE(count, at + 4);
    if (tag === 273) head.writeUInt32LE(head.length, at + 8);
    else if (tag === TAG.IccProfile) head.writeUInt32LE(profileAt, at + 8);
    else if (tag !== 258) head.writeUInt32LE(value, at + 8);
    else if (count < 3) for (let j = 0; j < count; j++) head.writeUInt16LE(value, at + 8 + 2 * j);
    else {
      head.writeUInt32LE(sizesAt, at + 8);
      for (let j = 0; j < count; j++) head.writeUInt16LE(value, sizesAt + 2 * j);
    }
  });
  profile.copy(head, profileAt);
  return head;
}
