import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as passes } from 'node:timers/promises';

/** Child processes of a running binary, as the system shows them. */

export const canSee = existsSync('/proc/self/stat');

/** Ticks of processor time, a hundredth of a second each: more than a child takes to start and do what is quickly done. */
const AT_WORK = 70;
/** Milliseconds between two looks. */
const OFTEN = 20;

/** Ids of a process's own children. */
function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && statOf(Number(name))?.parent === pid)
    .map(Number);
}

/** The child that has been at work on a slow picture for a while. */
export async function busyChildOf(pid: number, ticks = AT_WORK): Promise<number> {
  while (isAlive(pid)) {
    for (const child of childrenOf(pid)) if ((statOf(child)?.cpu ?? 0) >= ticks) return child;
    await passes(OFTEN);
  }
  throw new Error(`process ${pid} ended without a child at work`);
}

/** Bytes of address space that a process has. */
export function sizeOf(pid: number): number {
  const [, kilobytes = '0'] = /^VmSize:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}

function isAlive(pid: number): boolean {
  return statOf(pid) !== undefined;
}

function statOf(pid: number): { parent: number; cpu: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // A name may hold anything; what follows its last bracket are fields 3 and on.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z') return undefined;
    return { parent: Number(fields[1]), cpu: Number(fields[11]) + Number(fields[12]) };
  } catch {
    return undefined;
  }
}
