/** Values as a person would write them. */

/** Milliseconds by the letters behind a number. */
export const DURATIONS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
export type DurationUnit = keyof typeof DURATIONS;

/** Milliseconds as a person would write them: the largest unit that leaves a whole number. */
export function showDuration(milliseconds: number): string {
  const fitting = (Object.keys(DURATIONS) as DurationUnit[]).filter(
    (unit) => milliseconds % DURATIONS[unit] === 0,
  );
  const unit = fitting.at(-1) ?? 'ms';
  return `${milliseconds / DURATIONS[unit]}${unit}`;
}

/** An amount as a person would write it. */
export function shortAmount(value: number): string {
  const power = [3, 2, 1].find((power) => value % 1000 ** power === 0) ?? 0;
  return `${value / 1000 ** power}${['', 'k', 'M', 'G'][power]}`;
}

/** Bytes by the letters behind a number, in lower case; a plain letter counts in thousands, as `MB` does. */
const SIZES: Readonly<Record<string, number>> = {
  '': 1,
  ...{ k: 1e3, kb: 1e3, kib: 2 ** 10 },
  ...{ m: 1e6, mb: 1e6, mib: 2 ** 20 },
  ...{ g: 1e9, gb: 1e9, gib: 2 ** 30 },
  ...{ t: 1e12, tb: 1e12, tib: 2 ** 40 },
};

/** A size as it is written. */
export const SIZE = /^(\d+(?:\.\d+)?)\s?([kmgt]i?b|[kmgt]?)$/i;

/** Bytes of a size that is written so. */
export function bytesOf(text: string): number {
  const [, digits = '', unit = ''] = SIZE.exec(text) ?? [];
  return Math.round(Number(digits) * (SIZES[unit.toLowerCase()] ?? Number.NaN));
}

const SHOWN = { G: 1e9, GiB: 2 ** 30, M: 1e6, MiB: 2 ** 20, k: 1e3, KiB: 2 ** 10, '': 1 };

/** Bytes in the fewest letters that say exactly as many. */
export function showSize(bytes: number): string {
  const ways = Object.entries(SHOWN)
    .filter(([, unit]) => bytes >= unit)
    .map(([name, unit]) => `${bytes / unit}${name}`)
    .filter((way) => SIZE.test(way) && bytesOf(way) === bytes);
  return ways.reduce((best, way) => (way.length < best.length ? way : best), String(bytes));
}
