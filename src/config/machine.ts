import { readFileSync } from 'node:fs';
import { availableParallelism, freemem, totalmem } from 'node:os';
import { posix } from 'node:path';

const CGROUPS = '/sys/fs/cgroup';

/** Reads a text file; undefined where there is none. */
type ReadText = (path: string) => string | undefined;

/** Cores that this process may use: those of its affinity, limited by the CPU time of its control groups. */
export function cores(available = availableParallelism(), read: ReadText = readText): number {
  const shares = groups('', read).map((group) => share(read(posix.join(CGROUPS, group, 'cpu.max'))));
  // Part of a core is worth another job: the job waits at times, but never for long.
  return Math.max(1, Math.ceil(Math.min(available, ...shares)));
}

/** Cores that `cpu.max` allows. Its text is "<quota or max> <period>", both in microseconds. */
function share(cpuMax = ''): number {
  const [quota, period] = cpuMax.trim().split(/\s+/).map(Number);
  return quota && period ? quota / period : Number.POSITIVE_INFINITY;
}

/** Bytes. `free` can be used without swapping or killing anything; `total` is the upper bound. */
export interface Memory {
  readonly free: number;
  readonly total: number;
}

const MB = 1_000_000;
/** Bytes. With less, two photographs hardly fit side by side. */
const LEAST = 64 * MB;

/** Default memory for all pictures, in bytes: half of the free memory. The rest is for other programs. */
export function autoMemory({ free }: Pick<Memory, 'free'> = memoryHere()): number {
  return Math.max(LEAST, Math.floor(free / 2 / MB) * MB);
}

/** A picture that needs more than this share of the free memory is refused: other programs need some too. */
const MOST_SHARE = 0.8;

/** Default memory for one picture, in bytes. It is more than for all together, because a large picture runs alone. */
export function autoMemoryCap({ free }: Pick<Memory, 'free'> = memoryHere()): number {
  return Math.max(autoMemory({ free }), Math.floor((free * MOST_SHARE) / MB) * MB);
}

/** The memory of the machine, or of the control group with the least memory, of either version. */
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

/** Version 2. Above `memory.high` the kernel slows the group down, above `memory.max` it kills a process. */
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

/** The kernel gives up unused file cache before memory runs out, so the cache counts as free. */
function granted(limits: readonly number[], used: string | undefined, unused: number): Memory {
  const total = Math.min(...limits.map((limit) => (Number.isNaN(limit) ? Number.POSITIVE_INFINITY : limit)));
  return { free: total - (amount(/^(\d+)$/m, used) || 0) + (unused || 0), total };
}

/** The control group of the process and all groups above it. An empty controller means version 2. */
function groups(controller: string, read: ReadText): readonly string[] {
  const lines = (read('/proc/self/cgroup') ?? '')
    .split('\n')
    .map((line) => /^\d+:([^:]*):(\/.*)$/.exec(line));
  const own = lines.find((line) => line?.[1]?.split(',').includes(controller))?.[2] ?? '/';
  const parts = own.split('/').filter((part) => part !== '');
  return parts.map((_, i) => parts.slice(0, i + 1).join('/')).concat('');
}

/** The number that the pattern captures; NaN where it does not match. */
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
