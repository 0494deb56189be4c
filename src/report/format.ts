const UNITS = ['kB', 'MB', 'GB', 'TB', 'PB'] as const;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const two = (n: number) => String(n).padStart(2, '0');

/** `1,284` */
export function count(n: number): string {
  return String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 image`, `1,284 images` */
export function counted(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** Decimal units, one digit after the point below 100: `512 B`, `12.0 kB`, `402 kB`, `3.9 GB`. */
export function bytes(n: number): string {
  const size = Math.max(0, n);
  if (size < 999.5) return `${Math.round(size)} B`;
  let value = size / 1000;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value < 99.95 ? value.toFixed(1) : count(value)} ${UNITS[unit] ?? ''}`;
}

/** `402kB`: as one word. */
export function compact(n: number): string {
  return bytes(n).replace(' ', '');
}

/** The change from sources to outputs: `-75%`, `0%`, or `+12%` when outputs are larger; empty without sources. */
export function change(bytesIn: number, bytesOut: number): string {
  if (bytesIn <= 0) return '';
  const percent = Math.round((bytesOut / bytesIn - 1) * 100);
  const sign = percent > 0 ? '+' : percent < 0 ? '-' : '';
  return `${sign}${count(Math.abs(percent))}%`;
}

/** Milliseconds as `71ms`, `31.4s`, `5m 12s`, `2h 14m`, `3d 4h`. */
export function duration(ms: number): string {
  if (ms < 999.5) return `${Math.max(0, Math.round(ms))}ms`;
  if (ms < MINUTE - 50) return `${(ms / SECOND).toFixed(1)}s`;
  const whole = Math.round(ms / SECOND) * SECOND;
  if (whole < HOUR) return `${Math.floor(whole / MINUTE)}m ${Math.floor((whole % MINUTE) / SECOND)}s`;
  if (whole < DAY) return `${Math.floor(whole / HOUR)}h ${Math.floor((whole % HOUR) / MINUTE)}m`;
  return `${Math.floor(whole / DAY)}d ${Math.floor((whole % DAY) / HOUR)}h`;
}

/** Elapsed milliseconds, never rounded up: `42s`, `14m`, `2h 14m`, `3d 4h`. */
export function age(ms: number): string {
  if (ms < MINUTE) return `${Math.floor(Math.max(0, ms) / SECOND)}s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)}m`;
  return duration(Math.floor(ms / MINUTE) * MINUTE);
}

/** A configured time in milliseconds, mostly round: `500ms`, `30s`, `1.5s`, `5m`. */
export function pause(ms: number): string {
  return duration(ms)
    .replace('.0s', 's')
    .replace(/ 0[sm]$/, '');
}

/** Milliseconds left, as on a clock: `0:11`, `12:05`, `1:02:03`; `-` when unknown. */
export function countdown(ms: number | null): string {
  if (ms === null || !Number.isFinite(ms) || ms >= 100 * HOUR) return '-';
  const seconds = Math.ceil(Math.max(0, ms) / SECOND);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}

/** Images per second: `41.2/s`; `-` when unknown. */
export function rate(perSecond: number | null): string {
  if (perSecond === null || !Number.isFinite(perSecond)) return '-';
  return perSecond < 99.95 ? `${perSecond.toFixed(1)}/s` : `${count(perSecond)}/s`;
}

/** Whole percent, rounded down: 100 only at the end. */
export function percent(part: number, whole: number): string {
  if (whole <= 0) return '100%';
  return `${Math.max(0, Math.min(100, Math.floor((part / whole) * 100)))}%`;
}

/** ISO 8601, UTC, milliseconds. */
export function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** `2026-11-21 14:02`, in the zone of the machine. */
export function localTime(ms: number): string {
  const date = new Date(ms);
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** `14:02:11`, in the zone of the machine. */
export function timeOfDay(ms: number): string {
  return new Date(ms).toTimeString().slice(0, 8);
}

/** `now`, `40 s ago`, `2 min ago`, `3 h ago`, `yesterday`, `3 Nov 09:12`, `3 Nov 2024`; days in the machine's zone. */
export function ago(then: number, now: number): string {
  const passed = now - then;
  const date = new Date(then);
  if (passed < 10 * SECOND && passed > -MINUTE) return 'now';
  if (passed >= 0 && passed < MINUTE) return `${Math.floor(passed / SECOND)} s ago`;
  if (passed >= 0 && passed < HOUR) return `${Math.floor(passed / MINUTE)} min ago`;
  if (passed >= 0 && date.toDateString() === new Date(now).toDateString())
    return `${Math.floor(passed / HOUR)} h ago`;
  const dayBefore = new Date(now);
  dayBefore.setDate(dayBefore.getDate() - 1);
  if (date.toDateString() === dayBefore.toDateString()) return 'yesterday';
  const day = `${date.getDate()} ${MONTHS[date.getMonth()] ?? ''}`;
  if (date.getFullYear() !== new Date(now).getFullYear()) return `${day} ${date.getFullYear()}`;
  return `${day} ${localTime(then).slice(-5)}`;
}
