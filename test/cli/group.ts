import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as passes } from 'node:timers/promises';

/** The processes of a session's group as the system knows them: Linux alone tells. */
export const canSeeProcesses = existsSync('/proc/self/stat');

/** Milliseconds between two looks. */
const LOOK = 10;
/** Of the processor's time as the system counts it: ticks a second. */
const TICKS = 100;

interface Member {
  readonly pid: number;
  readonly parent: number;
  /** `T` is stopped. */
  readonly state: string;
  /** Milliseconds of processor time. */
  readonly worked: number;
  /** Bytes resident now, and at most so far. */
  readonly memory: number;
  readonly most: number;
}

/** All that are alive; what has ended and was not yet buried is none. */
export function membersOf(group: number): Member[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => memberOf(Number(name), group));
}

/** Awaits that no process of the group is left; milliseconds that took. */
export async function untilGone(group: number, within?: number): Promise<number> {
  const since = performance.now();
  await until(`no process of group ${group}`, () => membersOf(group).length === 0, within);
  return performance.now() - since;
}

/** Awaits something that nobody tells of. */
export async function until(what: string, isSo: () => boolean, within = 40_000): Promise<void> {
  const since = performance.now();
  while (!isSo()) {
    if (performance.now() - since > within) throw new Error(`not within ${within} ms: ${what}`);
    await passes(LOOK);
  }
}

/** Awaits that a child of the group's first process has computed for so many milliseconds: it is in mid-encode. */
export async function untilWorking(group: number, milliseconds: number): Promise<void> {
  const isWorking = () => membersOf(group).some(({ pid, worked }) => pid !== group && worked >= milliseconds);
  await until(`a child of ${group} in work`, isWorking, 30_000);
}

/** Bytes of address space that a process has. */
export function sizeOf(pid: number): number {
  const [, kilobytes = '0'] = /^VmSize:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1_024;
}

/** Looks at a group's memory until `ended`. */
export async function memoryOf(
  group: number,
  ended: Promise<unknown>,
): Promise<{ sampled: number; bound: number }> {
  let isEnded = false;
  const end = ended.finally(() => {
    isEnded = true;
  });
  let sampled = 0;
  /** What each process had at most, whenever that was. */
  const most = new Map<number, number>();
  while (!isEnded) {
    const members = membersOf(group);
    for (const { pid, most: now } of members) most.set(pid, Math.max(now, most.get(pid) ?? 0));
    sampled = Math.max(sampled, sum(members.map(({ memory }) => memory)));
    await Promise.race([end, passes(2 * LOOK)]);
  }
  return { sampled, bound: sum([...most.values()]) };
}

/** Milliseconds that a process and the test have waited for a processor which others used. */
export function waitedFor(pid: number): number {
  const delays = [pid, 'self'].map((one) => readFileSync(`/proc/${one}/schedstat`, 'utf8').split(' ')[1]);
  return sum(delays.map(Number)) / 1_000_000;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);

function memberOf(pid: number, group: number): Member[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state = '', parent, of, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (Number(of) !== group || state === 'Z' || state === 'X') return [];
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const kilobytes = (name: string) =>
      Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0);
    const worked = ((Number(rest[8]) + Number(rest[9])) * 1_000) / TICKS;
    const [memory, most] = [kilobytes('VmRSS') * 1_024, kilobytes('VmHWM') * 1_024];
    return [{ pid, parent: Number(parent), state, worked, memory, most }];
  } catch {
    // It ended between the two looks.
    return [];
  }
}
