import type { Percent } from '../variants/words.ts';

/** An exact number, n / d with d above 0. A double is inexact: a half such as 2.5 can become less, and is rounded down. */
export interface Fraction {
  readonly n: bigint;
  readonly d: bigint;
}

export const ratioOf = (n: number, d = 1): Fraction => ({ n: BigInt(n), d: BigInt(d) });

export const ONE = ratioOf(1);

/** The exact value of a number as it is written, with few decimals. */
export function decimal(value: number | string): Fraction {
  const [whole = '', decimals = ''] = String(value).split('.');
  return { n: BigInt(whole + decimals), d: 10n ** BigInt(decimals.length) };
}

export const shareOf = (percent: Percent): Fraction => over(decimal(percent.replace('%', '')), ratioOf(100));

export const times = (a: Fraction, b: Fraction): Fraction => ({ n: a.n * b.n, d: a.d * b.d });

export const over = (a: Fraction, b: Fraction): Fraction => ({ n: a.n * b.d, d: a.d * b.n });

export const plus = (a: Fraction, b: Fraction): Fraction => ({ n: a.n * b.d + b.n * a.d, d: a.d * b.d });

export const minus = (a: Fraction, b: Fraction): Fraction => plus(a, { n: -b.n, d: b.d });

/** Negative when a is smaller than b, positive when it is larger. */
export const compare = (a: Fraction, b: Fraction): number => Number(a.n * b.d - b.n * a.d);

export const least = (all: readonly Fraction[]): Fraction =>
  all.reduce((min, each) => (compare(each, min) < 0 ? each : min));

export const greatest = (all: readonly Fraction[]): Fraction =>
  all.reduce((max, each) => (compare(each, max) > 0 ? each : max));

/** The nearest whole number; a half is rounded up. Not below `from`. */
export function rounded({ n, d }: Fraction, from: number): number {
  const twice = 2n * n + d;
  const floor = twice / (2n * d) - (twice < 0n && twice % (2n * d) !== 0n ? 1n : 0n);
  return Math.max(from, Number(floor));
}

/** The smallest whole number that is not below this positive one. */
export const roundedUp = ({ n, d }: Fraction): number => Number((n + d - 1n) / d);

/** The largest whole number that is not above this positive one. */
export const roundedDown = ({ n, d }: Fraction): number => Number(n / d);
