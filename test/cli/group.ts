import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as passes } from 'node:timers/promises';

/** The processes of a session's group as the system reports them. Only Linux reports them. */
export const canSeeProcesses = existsSync('/proc/self/stat');

/** Milliseconds between two checks. */
const LOOK = 10;
/** Ticks of processor time per second. */
const TICKS = 100;

interface Member {
  readonly pid: number;
  readonly parent: number;
  /** `T` is stopped. */
  readonly state: string;
  /** Milliseconds of processor time. */
  readonly worked: number;
  /** Resident bytes now, and the maximum so far. */
  readonly memory: number;
  readonly most: number;
}

/** All live processes. Ended processes that await their parent do not count. */
export function membersOf(group: number): Member[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => memberOf(Number(name), group));
}

/** Waits until no process of the group is left. Returns the milliseconds of the wait. */
export async function untilGone(group: number, within?: number): Promise<number> {
  const since = performance.now();
  await until(`no process of group ${group}`, () => membersOf(group).length === 0, within);
  return performance.now() - since;
}

/** Polls a condition that has no event. */
export async function until(what: string, isSo: () => boolean, within = 40_000): Promise<void> {
  const since = performance.now();
  while (!isSo()) {
    if (performance.now() - since > within) throw new Error(`not within ${within} ms: ${what}`);
    await passes(LOOK);
  }
}

/** Waits until a child of the group's first process has used this much processor time, so it is encoding. */
export async function untilWorking(group: number, milliseconds: number): Promise<void> {
  const isWorking = () => membersOf(group).some(({ pid, worked }) => pid !== group && worked >= milliseconds);
  await until(`a child of ${group} in work`, isWorking, 30_000);
}

/** Bytes of a process's address space. */
export function sizeOf(pid: number): number {
  const [, kilobytes = '0'] = /^VmSize:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1_024;
}

/** Samples a group's memory until `ended`. */
export async function memoryOf(
  group: number,
  ended: Promise<unknown>,
): Promise<{ sampled: number; bound: number }> {
  let isEnded = false;
  const end = ended.finally(() => {
    isEnded = true;
  });
  let sampled = 0;
  /** The maximum of each process, whenever it occurred. */
  const most = new Map<number, number>();
  while (!isEnded) {
    const members = membersOf(group);
    for (const { pid, most: now } of members) most.set(pid, Math.max(now, most.get(pid) ?? 0));
    sampled = Math.max(sampled, sum(members.map(({ memory }) => memory)));
    await Promise.race([end, passes(2 * LOOK)]);
  }
  return { sampled, bound: sum([...most.values()]) };
}

/** Milliseconds that a process and the test have waited for a processor that other processes used. */
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
    // The process ended between the two reads.
    return [];
  }
}
