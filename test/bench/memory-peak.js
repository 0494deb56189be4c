// Runs a program and watches how much memory it and its children take (Linux: /proc).
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

/** Milliseconds between two looks at the whole tree. */
const LOOK = 20;

/**
 * Peaks of `imgtool` with these arguments, in bytes: of the parent what the kernel counted (VmHWM), of the tree the
 * greatest sum that was seen, of shared pages a fair part (`pss`) or each time in full (`rss`).
 */
export async function peaks(binary, args, options = {}) {
  const child = spawn(process.execPath, [binary, ...args], {
    stdio: ['ignore', options.stdout ?? 'ignore', 'ignore'],
  });
  options.onSpawn?.(child);
  const started = performance.now();
  const ended = once(child, 'close');
  const peak = { parent: 0, pss: 0, rss: 0 };
  const look = () => {
    peak.parent = Math.max(peak.parent, field(child.pid, 'status', 'VmHWM'));
    const all = tree(child.pid);
    for (const [kind, name] of [
      ['pss', 'Pss'],
      ['rss', 'Rss'],
    ]) {
      const sum = all.reduce((so, pid) => so + field(pid, 'smaps_rollup', name), 0);
      peak[kind] = Math.max(peak[kind], sum);
    }
  };
  const looking = setInterval(look, LOOK);
  const [code] = await ended;
  clearInterval(looking);
  return { ...peak, code, seconds: (performance.now() - started) / 1000 };
}

/** A process and all below it. */
export function tree(pid) {
  const children = read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean);
  return [pid, ...children.flatMap((child) => tree(Number(child)))];
}

/** Bytes; none of a process that has ended. */
export function field(pid, file, name) {
  const kb = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(read(`/proc/${pid}/${file}`))?.[1];
  return Number(kb ?? 0) * 1024;
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
