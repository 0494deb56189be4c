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

/** Yields the boxes between two offsets in order, up to the first malformed one. */
export function* boxesOf(bytes: Buffer, from = 0, to = bytes.length): Iterable<Box> {
  let at = from;
  for (let count = 0; count < MAX_BOXES && at + 8 <= to; count++) {
    const short = bytes.readUInt32BE(at);
    const header = short === 1 ? 16 : 8;
    if (at + header > to) return;
    // 0: the box extends to the end. 1: the length follows in 64 bits.
    const length = short === 0 ? to - at : short === 1 ? Number(bytes.readBigUInt64BE(at + 8)) : short;
    if (length < header) return;
    const type = bytes.toString('latin1', at + 4, at + 8);
    yield { type, at, start: at + header, end: Math.min(at + length, to), isWhole: at + length <= to };
    at += length;
  }
}

/** The boxes inside a box. `skip` is the length in bytes of the fields before them. */
export function boxesIn(bytes: Buffer, box: Box | undefined, skip = 0): Box[] {
  return box === undefined ? [] : [...boxesOf(bytes, box.start + skip, box.end)];
}

/** Reads big-endian numbers in order. Bytes beyond the end are 0. */
export class Fields {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;

  constructor(bytes: Buffer, { start, end }: Pick<Box, 'start' | 'end'>) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#end;
  }

  /** Offset of the next number. */
  get at(): number {
    return this.#at;
  }

  skip(length: number): void {
    this.#at += length;
  }

  /** Reads an unsigned number of `length` bytes, 0 to 8; 0 bytes give 0. */
  next(length: number): number {
    if (length > 6) return this.next(length - 4) * 2 ** 32 + this.next(4);
    const at = this.#at;
    this.#at += length;
    return length === 0 || this.#at > this.#end ? 0 : this.#bytes.readUIntBE(at, length);
  }
}

/** The number of the primary item by its `pitm` box. */
export function primaryItem(bytes: Buffer, pitm: Box | undefined): number | undefined {
  if (pitm === undefined) return undefined;
  const fields = new Fields(bytes, pitm);
  return fields.next(fields.next(4) >>> 24 === 0 ? 2 : 4);
}
