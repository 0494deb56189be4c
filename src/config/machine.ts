import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { posix } from 'node:path';

const CGROUPS = '/sys/fs/cgroup';

/** Text of a file, undefined where there is none. */
type ReadText = (path: string) => string | undefined;

/** Cores this process may use: those of its affinity, less where a control group allows less time on them. */
export function cores(available = availableParallelism(), read: ReadText = readText): number {
  const shares = controlGroups(read).map((group) => share(read(posix.join(CGROUPS, group, 'cpu.max'))));
  // Half a core more is worth a job more: it waits, but never for long.
  return Math.max(1, Math.ceil(Math.min(available, ...shares)));
}

/** The process's own control group (version 2) and all above it: the tightest counts. */
function controlGroups(read: ReadText): readonly string[] {
  const own = /^0::(\/.*)$/m.exec(read('/proc/self/cgroup') ?? '')?.[1] ?? '/';
  const parts = own.split('/').filter((part) => part !== '');
  return parts.map((_, i) => parts.slice(0, i + 1).join('/')).concat('');
}

/** Cores' worth of time that `cpu.max` grants: "<quota or max> <period>", both in microseconds. */
function share(cpuMax = ''): number {
  const [quota, period] = cpuMax.trim().split(/\s+/).map(Number);
  return quota && period ? quota / period : Number.POSITIVE_INFINITY;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
