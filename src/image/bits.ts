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
