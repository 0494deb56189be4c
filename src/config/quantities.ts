import { isWholeNumber, type Scalar, scalar } from '../variants/values.ts';

/** The factor of each unit that a number can have behind it. */
type Units = Readonly<Record<string, number>>;

/** Milliseconds. */
const DURATIONS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const DURATION = '^\\s*(\\d+(?:\\.\\d+)?)(ms|s|m|h|d)?\\s*$';

/** Milliseconds. Text is a number of `unit`s, or has its own unit: 500ms, 1.5s, 10m. Bounds are in milliseconds. */
export function durationType(unit: keyof typeof DURATIONS, least: number, most: number): Scalar<number> {
  return scalar({
    expected: `a time from ${showDuration(least)} to ${showDuration(most)}`,
    schema: { anyOf: [{ type: 'number' }, { type: 'string', pattern: DURATION }] },
    show: showDuration,
    toFile: (milliseconds) => milliseconds / DURATIONS[unit],
    parse(raw) {
      const value = typeof raw === 'number' ? raw * DURATIONS[unit] : measure(raw, DURATION, DURATIONS, unit);
      return value >= least && value <= most ? Math.round(value) : undefined;
    },
  });
}

/** How long a token is valid, in milliseconds. Users write hours. */
export const lifetimeType = durationType('h', 1_000, 3650 * DURATIONS.d);

const AMOUNTS = { '': 1, k: 1e3, M: 1e6, G: 1e9 };
const AMOUNT = '^\\s*(\\d+(?:\\.\\d*)?|\\.\\d+)([kmgKMG]?)\\s*$';

/** A count with an optional suffix k, M or G for thousands, millions and billions. */
export const amountType: Scalar<number> = scalar({
  expected: 'a number such as 100M or 500k',
  ...wholeFrom(1, AMOUNT, AMOUNTS),
  show: (value) => inLargestUnit(value, AMOUNTS),
});

/** Bytes of each unit. A single letter is a decimal unit: `M` equals `MB`. */
const SIZES: Units = {
  '': 1,
  ...{ k: 1e3, kB: 1e3, KiB: 2 ** 10 },
  ...{ M: 1e6, MB: 1e6, MiB: 2 ** 20 },
  ...{ G: 1e9, GB: 1e9, GiB: 2 ** 30 },
  ...{ T: 1e12, TB: 1e12, TiB: 2 ** 40 },
};
const SIZE = '^\\s*(\\d+(?:\\.\\d+)?)\\s?([kmgtKMGT][iI]?[bB]|[kmgtKMGT]?)\\s*$';

/** A size in bytes, at least `least`. */
export function sizeType(least: number): Scalar<number> {
  const expected = `a size from ${showSize(least)}, such as 512M or 1.5GiB`;
  return scalar({ expected, ...wholeFrom(least, SIZE, SIZES), show: showSize });
}

/** A whole number, or text that is one in some unit. */
function wholeFrom(least: number, pattern: string, units: Units) {
  return {
    schema: {
      anyOf: [
        { type: 'integer', minimum: least },
        { type: 'string', pattern },
      ],
    },
    parse(raw: unknown) {
      const value = typeof raw === 'string' ? Math.round(measure(raw, pattern, units)) : raw;
      return isWholeNumber(value) && value >= least ? value : undefined;
    },
  };
}

/** The number in a text, times its unit in any case. NaN where the pattern does not match. */
function measure(text: unknown, pattern: string, units: Units, initial = ''): number {
  const [, digits, unit = initial] = (typeof text === 'string' && new RegExp(pattern).exec(text)) || [];
  const isUnit = ([name]: [string, number]) => name.toLowerCase() === unit.toLowerCase();
  const [, factor = Number.NaN] = Object.entries(units).find(isUnit) ?? [];
  return Number(digits) * factor;
}

/** A whole number in the largest unit in which it is whole. */
function inLargestUnit(value: number, units: Units): string {
  const whole = Object.entries(units).filter(([, factor]) => value % factor === 0);
  const [unit, factor] = whole.at(-1) ?? ['', 1];
  return `${value / factor}${unit}`;
}

function showDuration(milliseconds: number): string {
  return inLargestUnit(milliseconds, DURATIONS);
}

/** The shortest text that gives exactly this many bytes. */
export function showSize(bytes: number): string {
  const ways = ['G', 'GiB', 'M', 'MiB', 'k', 'KiB', '']
    .map((unit) => ({ unit, value: bytes / (SIZES[unit] ?? 1) }))
    .filter(({ value }) => value >= 1)
    .map(({ unit, value }) => `${value}${unit}`)
    .filter((way) => Math.round(measure(way, SIZE, SIZES)) === bytes);
  return ways.reduce((best, way) => (way.length < best.length ? way : best), String(bytes));
}
