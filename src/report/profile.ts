import type { Calls, ProfileEvent } from '../model.ts';
import { count, duration, percent } from './format.ts';

/** Rows and parts below this many milliseconds are left out. */
const LEAST = 0.5;
/** Columns for the parts of a row. */
const ROOM = 35;

interface ProfileRow {
  readonly name: string;
  readonly ms: number;
  /** The milliseconds of which `ms` is a share. */
  readonly whole: number;
  readonly calls?: number;
  /** The milliseconds of each part of this line. */
  readonly of?: Readonly<Record<string, number>>;
}

/** The profile of a batch as a table of plain text, at most 78 columns wide. */
export function profileLines(profile: ProfileEvent): string[] {
  const title = `profile of ${duration(profile.ms)}`;
  return [
    `${title.padEnd(24)}  ms  share   calls`,
    ...rowsOf(profile).map(({ name, ms, whole, calls, of = {} }) => {
      const figures = `${count(ms).padStart(8)}  ${percent(ms, whole).padStart(5)}`;
      const called = (calls === undefined ? '' : count(calls)).padStart(6);
      return `${name.padEnd(18)}${figures}  ${called}  ${mostOf(of)}`.trimEnd();
    }),
  ];
}

/** Rows without time and calls are left out. */
function rowsOf(profile: ProfileEvent): ProfileRow[] {
  const rows = [...parentRows(profile), ...(profile.children.started > 0 ? childRows(profile) : [])];
  return rows.filter(({ ms, calls = 0 }) => ms >= LEAST || calls > 0);
}

/** Shares of the elapsed time. */
function parentRows({ parent, ms: whole }: ProfileEvent): ProfileRow[] {
  const { start, cpu, busy, ...parts } = parent;
  const rows = (['index', 'storage', 'sources', 'report'] as const).map((name): ProfileRow => {
    const { calls, ms, of } = parts[name];
    return { name: `  ${name}`, whole, calls, ms, of: timesOf(of) };
  });
  return [
    { name: 'parent, CPU', ms: cpu, whole },
    { name: '  start', ms: start, whole },
    { name: '  busy', ms: busy, whole },
    ...rows,
  ];
}

/** Shares of the time available to images: the elapsed time times `jobs`. All rows but the first add up to it. */
function childRows({ children, pictures, jobs, ms: passed }: ProfileEvent): ProfileRow[] {
  const whole = jobs * passed;
  const { started, cpu, starting, asked, travel, held, idle } = children;
  const { digest, decode, encode, resize, write, color } = pictures;
  const { open = 0, render = 0, release = 0, ...others } = timesOf(asked);
  const rest = sum(Object.values(others));
  const [kept, free] = [sum(Object.values(held)), sum(Object.values(idle))];
  const work = open + render + rest;
  const none = left(whole, starting + travel + kept + free + work);
  const row = (name: string, ms: number, more: Pick<ProfileRow, 'calls' | 'of'> = {}): ProfileRow => {
    return { name: `  ${name}`, ms, whole, ...more };
  };
  return [
    { name: 'children, CPU', ms: cpu, whole, calls: started },
    row('none yet', none),
    row('starting', starting),
    row('read and digest', digest.ms, { calls: digest.calls }),
    row('header', left(open, digest.ms)),
    row('decode', decode.ms, { calls: decode.calls }),
    row('encode', encode.ms, { calls: encode.calls, of: timesOf({ resize, write, color }) }),
    row('other', rest + left(render, decode.ms + encode.ms)),
    row('messages', travel),
    row('held', kept, { of: { before: held.before, after: held.after } }),
    row('idle', free, { of: { ...idle, release } }),
  ];
}

function mostOf(parts: Readonly<Record<string, number>>): string {
  const named = Object.entries(parts)
    .filter(([, ms]) => ms >= LEAST)
    .sort(([, a], [, b]) => b - a)
    .map(([name, ms]) => `${name} ${count(ms)}`);
  while (named.join(', ').length > ROOM) named.pop();
  return named.join(', ');
}

function timesOf(calls: Readonly<Record<string, Calls>>): Record<string, number> {
  return Object.fromEntries(Object.entries(calls).map(([name, { ms }]) => [name, ms]));
}

const sum = (all: readonly number[]): number => all.reduce((so, one) => so + one, 0);

/** The part of `all` that `known` does not explain. Children round and report late, so the difference can be negative. */
const left = (all: number, known: number): number => Math.max(0, all - known);
