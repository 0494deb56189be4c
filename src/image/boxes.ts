/** A box of an ISO base media file (ISO/IEC 14496-12). Offsets count bytes from the start of the file. */
export interface Box {
  readonly type: string;
  /** Where the box starts. */
  readonly at: number;
  /** Where its content starts. */
  readonly start: number;
  /** Where its content ends; never beyond the enclosing box. */
  readonly end: number;
  /** False when the stated length exceeds the enclosing box, as in a truncated file. */
  readonly isWhole: boolean;
}

/** The most boxes on one level: pictures have some tens, grids two for each tile. */
const MAX_BOXES = 10_000;

/** Returns the boxes between two offsets in order, up to the first malformed one. */
export function boxesOf(bytes: Buffer, from = 0, to = bytes.length): Box[] {
  const boxes: Box[] = [];
  let at = from;
  while (boxes.length < MAX_BOXES && at + 8 <= to) {
    const short = bytes.readUInt32BE(at);
    const header = short === 1 ? 16 : 8;
    if (at + header > to) break;
    // 0: the box extends to the end. 1: the length follows in 64 bits.
    const length = short === 0 ? to - at : short === 1 ? Number(bytes.readBigUInt64BE(at + 8)) : short;
    if (length < header) break;
    const type = textAt(bytes, at + 4);
    boxes.push({ type, at, start: at + header, end: Math.min(at + length, to), isWhole: at + length <= to });
    at += length;
  }
  return boxes;
}

/** The boxes inside a box. `skip` is the length in bytes of the fields before them. */
export function boxesIn(bytes: Buffer, box: Box | undefined, skip = 0): Box[] {
  return box === undefined ? [] : boxesOf(bytes, box.start + skip, box.end);
}

export const findBox = (boxes: readonly Box[], type: string): Box | undefined =>
  boxes.find((box) => box.type === type);

/** The four characters of a type or brand. */
export const textAt = (bytes: Buffer, at: number): string => bytes.toString('latin1', at, at + 4);

/** The number of the primary item by its `pitm` box. */
export function primaryItem(bytes: Buffer, pitm: Box | undefined): number | undefined {
  if (pitm === undefined) return undefined;
  const bits = new Bits(bytes, pitm.start, pitm.end);
  const version = bits.next(8);
  bits.skip(24);
  return bits.next(version === 0 ? 16 : 32);
}

/** Reads big-endian numbers of any number of bits in order. A number that reaches beyond the end is 0. */
export class Bits {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;

  /** `start` and `end` are offsets in bytes. */
  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = start * 8;
    this.#end = end * 8;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#end;
  }

  /** Offset in bytes of the next number. */
  get offset(): number {
    return this.#at / 8;
  }

  skip(count: number): void {
    this.#at += count;
  }

  next(count: number): number {
    const from = this.#at;
    this.#at += count;
    if (this.#at > this.#end) return 0;
    let value = 0;
    for (let at = from; at < this.#at; at++) {
      value = value * 2 + ((this.#bytes[Math.floor(at / 8)]! >> (7 - (at % 8))) & 1);
    }
    return value;
  }
}
