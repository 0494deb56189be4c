const STEPS_PER_DOUBLING = 12;

/** A distribution of times, in bounded memory. Each doubling of the time has twelve buckets, each about 6 % wide. */
export class Histogram {
  count = 0;
  max = 0;
  #min = Number.POSITIVE_INFINITY;
  readonly #buckets = new Map<number, number>();

  get min(): number {
    return this.count === 0 ? 0 : this.#min;
  }

  add(ms: number): void {
    const value = Math.max(1, ms);
    const bucket = Math.floor(Math.log2(value) * STEPS_PER_DOUBLING);
    this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + 1);
    this.count++;
    this.#min = Math.min(this.#min, value);
    this.max = Math.max(this.max, value);
  }

  /** The value below which `share` (0 to 1) of the values lie, within 3 %. */
  quantile(share: number): number {
    let left = Math.max(1, Math.ceil(share * this.count));
    for (const [bucket, n] of [...this.#buckets].sort(([a], [b]) => a - b)) {
      left -= n;
      if (left <= 0) return this.#middle(bucket);
    }
    return this.max;
  }

  /** The number of values in each of `parts` equal steps on a log scale from min to max. */
  shape(parts: number): number[] {
    const bars = new Array<number>(parts).fill(0);
    const span = Math.log2(this.max / this.min) || 1;
    for (const [bucket, n] of this.#buckets) {
      const at = Math.floor((Math.log2(this.#middle(bucket) / this.min) / span) * parts);
      const bar = Math.min(parts - 1, at);
      bars[bar] = (bars[bar] ?? 0) + n;
    }
    return bars;
  }

  #middle(bucket: number): number {
    return Math.min(this.max, Math.max(this.min, 2 ** ((bucket + 0.5) / STEPS_PER_DOUBLING)));
  }
}
