/** Child processes as the system sees them. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A file of the built program. */
export const built = (name: string): string => fileURLToPath(new URL(`../../dist/${name}`, import.meta.url));

/** What children run. */
export const workerPath = built('image/worker.js');
if (!existsSync(workerPath)) throw new Error('run `npm run build` first: children run the built worker');

/** Process ids of the children that `parent` has now. */
export function childrenOf(parent: number, script = workerPath): number[] {
  const rows = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' }).split('\n');
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter(([, ppid, ...args]) => Number(ppid) === parent && args.includes(script))
    .map(([pid]) => Number(pid));
}

export function alive(pid: number): boolean {
  const state = stateOf(pid);
  return state !== '' && !state.startsWith('Z');
}

function stateOf(pid: number): string {
  try {
    return execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  } catch {
    // ps fails when there is no such process.
    return '';
  }
}
