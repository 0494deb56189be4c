import { readFileSync } from 'node:fs';
import { availableParallelism, freemem, totalmem } from 'node:os';
import { posix } from 'node:path';

const CGROUPS = '/sys/fs/cgroup';

/** Reads a text file. Returns undefined if it cannot be read. */
type ReadText = (path: string) => string | undefined;

/** Cores that this process may use: the cores of its CPU affinity, limited by the CPU quota of its control groups. */
export function cores(available = availableParallelism(), read: ReadText = readText): number {
  const shares = groups('', read).map((group) => share(read(posix.join(CGROUPS, group, 'cpu.max'))));
  // Round up: a job on part of a core waits at times, but never for long.
  return Math.max(1, Math.ceil(Math.min(available, ...shares)));
}

/** Cores that `cpu.max` allows. The format is "<quota or max> <period>", both in microseconds. */
function share(cpuMax = ''): number {
  const [quota, period] = cpuMax.trim().split(/\s+/).map(Number);
  return quota && period ? quota / period : Number.POSITIVE_INFINITY;
}

/** Bytes. `free` is available without swapping and without killing a process; `total` is the upper bound. */
export interface Memory {
  readonly free: number;
  readonly total: number;
}

const MB = 1_000_000;
/** Bytes. Two photographs hardly fit into less at the same time. */
const LEAST = 64 * MB;

/** Default memory budget of all pictures, in bytes: half of the free memory. Other programs need the rest. */
export function autoMemory({ free }: Pick<Memory, 'free'> = memoryHere()): number {
  return Math.max(LEAST, Math.floor(free / 2 / MB) * MB);
}

/** The largest share of the free memory that one picture may need. Other programs need the rest. */
const MOST_SHARE = 0.8;

/** Default memory limit of one picture, in bytes. It exceeds the budget, because a large picture runs alone. */
export function autoMemoryCap({ free }: Pick<Memory, 'free'> = memoryHere()): number {
  return Math.max(autoMemory({ free }), Math.floor((free * MOST_SHARE) / MB) * MB);
}

/** The memory of the machine, or of the control group with the least memory. Reads control groups of both versions. */
export function memoryHere(
  machine: Memory = { free: freemem(), total: totalmem() },
  read: ReadText = readText,
): Memory {
  const available = amount(/^MemAvailable:\s+(\d+) kB$/m, read('/proc/meminfo')) * 1024;
  const all = [
    { free: available >= 0 ? available : machine.free, total: machine.total },
    ...groups('', read).map((group) => grantedBy(posix.join(CGROUPS, group), read)),
    ...groups('memory', read).map((group) => grantedByOld(posix.join(CGROUPS, 'memory', group), read)),
  ];
  return {
    free: Math.max(0, Math.min(...all.map(({ free }) => free))),
    total: Math.min(...all.map(({ total }) => total)),
  };
}

/** Control groups version 2. Above `memory.high` the kernel slows the group; above `memory.max` it kills a process. */
function grantedBy(group: string, read: ReadText): Memory {
  const limits = ['memory.max', 'memory.high'].map((name) =>
    amount(/^(\d+)$/m, read(posix.join(group, name))),
  );
  const used = read(posix.join(group, 'memory.current'));
  return granted(limits, used, amount(/^inactive_file (\d+)$/m, read(posix.join(group, 'memory.stat'))));
}

function grantedByOld(group: string, read: ReadText): Memory {
  const limit = amount(/^(\d+)$/m, read(posix.join(group, 'memory.limit_in_bytes')));
  const used = read(posix.join(group, 'memory.usage_in_bytes'));
  const unused = amount(/^total_inactive_file (\d+)$/m, read(posix.join(group, 'memory.stat')));
  return granted([limit], used, unused);
}

/** Unused file cache counts as free, because the kernel reclaims it before memory runs out. */
function granted(limits: readonly number[], used: string | undefined, unused: number): Memory {
  const total = Math.min(...limits.map((limit) => (Number.isNaN(limit) ? Number.POSITIVE_INFINITY : limit)));
  return { free: total - (amount(/^(\d+)$/m, used) || 0) + (unused || 0), total };
}

/** The control group of the process and all groups above it. An empty controller name selects version 2. */
function groups(controller: string, read: ReadText): readonly string[] {
  const lines = (read('/proc/self/cgroup') ?? '')
    .split('\n')
    .map((line) => /^\d+:([^:]*):(\/.*)$/.exec(line));
  const own = lines.find((line) => line?.[1]?.split(',').includes(controller))?.[2] ?? '/';
  const parts = own.split('/').filter((part) => part !== '');
  return parts.map((_, i) => parts.slice(0, i + 1).join('/')).concat('');
}

/** The number that the pattern captures; NaN if the pattern does not match. */
function amount(pattern: RegExp, text = ''): number {
  return Number(pattern.exec(text)?.[1] ?? Number.NaN);
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
