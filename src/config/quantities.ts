import { isWholeNumber, type Scalar, scalar } from '../variants/values.ts';

/** Durations, amounts and sizes: parsing and display. */

/** Milliseconds of each unit. */
const DURATIONS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
type DurationUnit = keyof typeof DURATIONS;

/** Milliseconds. Text is a number of `unit`s, or has its own unit: 500ms, 1.5s, 10m. Bounds are in milliseconds. */
export function durationType(unit: DurationUnit, least: number, most: number): Scalar<number> {
  const pattern = '^\\s*(\\d+(?:\\.\\d+)?)(ms|s|m|h|d)?\\s*$';
  return scalar({
    expected: `a time from ${showDuration(least)} to ${showDuration(most)}`,
    schema: { anyOf: [{ type: 'number' }, { type: 'string', pattern }] },
    parse(raw) {
      const [, digits, own = unit] = (typeof raw === 'string' && new RegExp(pattern).exec(raw)) || [];
      const value = digits === undefined ? raw : Number(digits);
      if (typeof value !== 'number') return undefined;
      const milliseconds = value * DURATIONS[own as DurationUnit];
      return milliseconds >= least && milliseconds <= most ? Math.round(milliseconds) : undefined;
    },
  });
}

/** Writes a duration in the largest unit that gives a whole number. */
export function showDuration(milliseconds: number): string {
  const fitting = (Object.keys(DURATIONS) as DurationUnit[]).filter(
    (unit) => milliseconds % DURATIONS[unit] === 0,
  );
  const unit = fitting.at(-1) ?? 'ms';
  return `${milliseconds / DURATIONS[unit]}${unit}`;
}

const AMOUNT = '^\\s*(\\d+(?:\\.\\d*)?|\\.\\d+)([kmgKMG]?)\\s*$';

/** A count with an optional suffix k, M or G for thousands, millions and billions. */
export const amountType: Scalar<number> = scalar({
  expected: 'a number such as 100M or 500k',
  schema: {
    anyOf: [
      { type: 'integer', minimum: 1 },
      { type: 'string', pattern: AMOUNT },
    ],
  },
  parse(raw) {
    const [, digits, suffix = ''] = (typeof raw === 'string' && new RegExp(AMOUNT).exec(raw)) || [];
    const power = ' kmg'.indexOf(suffix.toLowerCase() || ' ');
    const value = digits === undefined ? raw : Math.round(Number(digits) * 1000 ** power);
    return isWholeNumber(value) && value >= 1 ? value : undefined;
  },
});

export function showAmount(value: number): string {
  const power = [3, 2, 1].find((power) => value % 1000 ** power === 0) ?? 0;
  return `${value / 1000 ** power}${['', 'k', 'M', 'G'][power]}`;
}

/** Bytes of each unit, in lower case. A single letter is a decimal unit: `M` equals `MB`. */
const SIZES: Readonly<Record<string, number>> = {
  '': 1,
  ...{ k: 1e3, kb: 1e3, kib: 2 ** 10 },
  ...{ m: 1e6, mb: 1e6, mib: 2 ** 20 },
  ...{ g: 1e9, gb: 1e9, gib: 2 ** 30 },
  ...{ t: 1e12, tb: 1e12, tib: 2 ** 40 },
};

const SIZE = '^\\s*(\\d+(?:\\.\\d+)?)\\s?([kmgtKMGT][iI]?[bB]|[kmgtKMGT]?)\\s*$';

/** A size in bytes, at least `least`. */
export function sizeType(least: number): Scalar<number> {
  return scalar({
    expected: `a size from ${showSize(least)}, such as 512M or 1.5GiB`,
    schema: {
      anyOf: [
        { type: 'integer', minimum: least },
        { type: 'string', pattern: SIZE },
      ],
    },
    parse(raw) {
      const bytes = typeof raw === 'string' ? bytesOf(raw) : raw;
      return isWholeNumber(bytes) && bytes >= least ? bytes : undefined;
    },
  });
}

/** Returns NaN if the text is not a size. */
function bytesOf(text: string): number {
  const [, digits = '', unit = ''] = new RegExp(SIZE).exec(text) ?? [];
  return digits === '' ? Number.NaN : Math.round(Number(digits) * (SIZES[unit.toLowerCase()] ?? Number.NaN));
}

const SHOWN = { G: 1e9, GiB: 2 ** 30, M: 1e6, MiB: 2 ** 20, k: 1e3, KiB: 2 ** 10, '': 1 };

/** The shortest text that gives exactly this many bytes. */
export function showSize(bytes: number): string {
  const ways = Object.entries(SHOWN)
    .filter(([, unit]) => bytes >= unit)
    .map(([name, unit]) => `${bytes / unit}${name}`)
    .filter((way) => bytesOf(way) === bytes);
  return ways.reduce((best, way) => (way.length < best.length ? way : best), String(bytes));
}
