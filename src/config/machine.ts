import { readFileSync } from 'node:fs';
import { availableParallelism, freemem, totalmem } from 'node:os';
import { posix } from 'node:path';
import { orUndefined } from '../errors.ts';

/** Reads a text file. Returns undefined if it cannot be read. */
type ReadText = (path: string) => string | undefined;

const readText: ReadText = (path) => orUndefined(() => readFileSync(path, 'utf8'));

/** Cores that this process may use: the cores of its CPU affinity, limited by the CPU quota of its control groups. */
export function cores(available = availableParallelism(), read = readText): number {
  const shares = groups('', read).map((group) => share(read(`${group}/cpu.max`)));
  // Round up: a job on part of a core waits at times, but never for long.
  return Math.max(1, Math.ceil(Math.min(available, ...shares)));
}

/** Cores that `cpu.max` allows. The format is "<quota or max> <period>", both in microseconds. */
function share(cpuMax = ''): number {
  const [quota, period] = cpuMax.trim().split(/\s+/).map(Number);
  return quota && period ? quota / period : Number.POSITIVE_INFINITY;
}

const MB = 1_000_000;
/** Bytes. Two photographs hardly fit into less at the same time. */
const LEAST = 64 * MB;
/** The largest share of the free memory that one picture may need. Other programs need the rest. */
const MOST_SHARE = 0.8;

/**
 * The default memory of all pictures together: half of the free memory, because other programs need the rest. The
 * default of one picture exceeds it, because a large picture runs alone. All in bytes.
 */
export function autoMemory({ free }: Pick<Memory, 'free'> = memoryHere()) {
  const memory = Math.max(LEAST, Math.floor(free / 2 / MB) * MB);
  return { memory, memoryCap: Math.max(memory, Math.floor((free * MOST_SHARE) / MB) * MB) };
}

/** Bytes. `free` is available without swapping and without killing a process; `total` is the upper bound. */
export interface Memory {
  readonly free: number;
  readonly total: number;
}

/** The memory of the machine, or of the control group with the least memory. Reads control groups of both versions. */
export function memoryHere(machine: Memory = { free: freemem(), total: totalmem() }, read = readText) {
  const available = numberIn(read('/proc/meminfo'), /^MemAvailable:\s+(\d+) kB$/m);
  const all = [
    { free: available === undefined ? machine.free : available * 1024, total: machine.total },
    // Above `memory.high` the kernel slows the group; above `memory.max` it kills a process.
    ...granted('', ['memory.max', 'memory.high'], 'memory.current', 'inactive_file', read),
    ...granted('memory', ['memory.limit_in_bytes'], 'memory.usage_in_bytes', 'total_inactive_file', read),
  ];
  return {
    free: Math.max(0, Math.min(...all.map(({ free }) => free))),
    total: Math.min(...all.map(({ total }) => total)),
  };
}

/** What each group grants. Unused file cache counts as free: the kernel reclaims it before memory runs out. */
function granted(controller: string, limits: string[], used: string, unused: string, read: ReadText) {
  const cache = new RegExp(`^${unused} (\\d+)$`, 'm');
  return groups(controller, read).map((group) => {
    const total = Math.min(...limits.map((name) => numberIn(read(`${group}/${name}`)) ?? Infinity));
    const inUse = numberIn(read(`${group}/${used}`)) ?? 0;
    return { free: total - inUse + (numberIn(read(`${group}/memory.stat`), cache) ?? 0), total };
  });
}

/** The folders of the process's control group and of all groups above it. Version 2 has no controller name. */
function groups(controller: string, read: ReadText): readonly string[] {
  const lines = [...(read('/proc/self/cgroup') ?? '').matchAll(/^\d+:([^:\n]*):(\/.*)$/gm)];
  const own = lines.find(([, names = '']) => names.split(',').includes(controller))?.[2] ?? '/';
  const parts = own.split('/').filter((part) => part !== '');
  return [...parts.keys(), parts.length].map((depth) =>
    posix.join('/sys/fs/cgroup', controller, ...parts.slice(0, depth)),
  );
}

function numberIn(text = '', pattern = /^(\d+)$/m): number | undefined {
  const digits = pattern.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
