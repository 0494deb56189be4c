/** A distribution of times in memory that does not grow. Twelve buckets make one doubling: each is about 6 % wide. */
export interface Histogram {
  add(ms: number): void;
  readonly count: number;
  readonly min: number;
  readonly max: number;
  /** The value below which `share` (0 to 1) of the values lie, within 3 %. */
  quantile(share: number): number;
  /** The number of values in each of `parts` equal steps on a log scale from min to max. */
  shape(parts: number): number[];
}

const STEPS_PER_DOUBLING = 12;

export function createHistogram(): Histogram {
  const buckets = new Map<number, number>();
  let total = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = 0;
  const sorted = () => [...buckets].sort(([a], [b]) => a - b);
  const within = (ms: number) => Math.min(max, Math.max(min, ms));

  return {
    add(ms) {
      const value = Math.max(1, ms);
      const bucket = Math.floor(Math.log2(value) * STEPS_PER_DOUBLING);
      buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1);
      total++;
      min = Math.min(min, value);
      max = Math.max(max, value);
    },
    get count() {
      return total;
    },
    get min() {
      return total === 0 ? 0 : min;
    },
    get max() {
      return max;
    },
    quantile(share) {
      if (total === 0) return 0;
      let left = Math.max(1, Math.ceil(share * total));
      for (const [bucket, n] of sorted()) {
        left -= n;
        if (left <= 0) return within(middle(bucket));
      }
      return max;
    },
    shape(parts) {
      const bars = new Array<number>(parts).fill(0);
      const span = Math.log2(max / min) || 1;
      for (const [bucket, n] of buckets) {
        const at = Math.floor((Math.log2(within(middle(bucket)) / min) / span) * parts);
        const bar = Math.min(parts - 1, at);
        bars[bar] = (bars[bar] ?? 0) + n;
      }
      return bars;
    },
  };
}

function middle(bucket: number): number {
  return 2 ** ((bucket + 0.5) / STEPS_PER_DOUBLING);
}
