import { readFileSync } from 'node:fs';
import { availableParallelism, freemem, totalmem } from 'node:os';
import { posix } from 'node:path';

const CGROUPS = '/sys/fs/cgroup';

/** Text of a file, undefined where there is none. */
type ReadText = (path: string) => string | undefined;

/** Cores this process may use: those of its affinity, less where a control group allows less time on them. */
export function cores(available = availableParallelism(), read: ReadText = readText): number {
  const shares = groups('', read).map((group) => share(read(posix.join(CGROUPS, group, 'cpu.max'))));
  // Half a core more is worth a job more: it waits, but never for long.
  return Math.max(1, Math.ceil(Math.min(available, ...shares)));
}

/** Cores' worth of time that `cpu.max` grants: "<quota or max> <period>", both in microseconds. */
function share(cpuMax = ''): number {
  const [quota, period] = cpuMax.trim().split(/\s+/).map(Number);
  return quota && period ? quota / period : Number.POSITIVE_INFINITY;
}

/** Bytes: what this process could still take without anything being swapped or killed, and all it could ever have. */
export interface Memory {
  readonly free: number;
  readonly total: number;
}

const MB = 1_000_000;
/** Bytes: less would let hardly any photograph in beside another. */
const LEAST = 64 * MB;

/** Bytes for pictures where nobody says how many: half of what is free, the rest is for whatever else runs here. */
export function autoMemory({ free }: Pick<Memory, 'free'> = memoryHere()): number {
  return Math.max(LEAST, Math.floor(free / 2 / MB) * MB);
}

/** The share of the free memory above which one picture is refused: the rest of the machine needs some too. */
const MOST_SHARE = 0.8;

/** Bytes for one picture where nobody says how many: more than for all together, since a large one is alone. */
export function autoMemoryCap({ free }: Pick<Memory, 'free'> = memoryHere()): number {
  return Math.max(autoMemory({ free }), Math.floor((free * MOST_SHARE) / MB) * MB);
}

/** The memory of the machine, or of the tightest control group (of either version) the process is in. */
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

/** Version 2: above `memory.high` everything slows down, above `memory.max` somebody is killed. */
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

/** What was read from files and not used again is given back before anybody goes without. */
function granted(limits: readonly number[], used: string | undefined, unused: number): Memory {
  const total = Math.min(...limits.map((limit) => (Number.isNaN(limit) ? Number.POSITIVE_INFINITY : limit)));
  return { free: total - (amount(/^(\d+)$/m, used) || 0) + (unused || 0), total };
}

/** The process's own control group and all above it: the tightest counts. No controller named: those of version 2. */
function groups(controller: string, read: ReadText): readonly string[] {
  const lines = (read('/proc/self/cgroup') ?? '')
    .split('\n')
    .map((line) => /^\d+:([^:]*):(\/.*)$/.exec(line));
  const own = lines.find((line) => line?.[1]?.split(',').includes(controller))?.[2] ?? '/';
  const parts = own.split('/').filter((part) => part !== '');
  return parts.map((_, i) => parts.slice(0, i + 1).join('/')).concat('');
}

/** The number a text has where the pattern says; NaN where it has none. */
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
