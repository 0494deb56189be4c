/** Child processes as the system reports them. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, vi } from 'vitest';

/** A file of the built program. */
export const built = (name: string): string => fileURLToPath(new URL(`../../dist/${name}`, import.meta.url));

/** The script that the child processes run. */
export const workerPath = built('image/worker.js');
if (!existsSync(workerPath)) throw new Error('run `npm run build` first: children run the built worker');

interface Endless {
  /** The script that such a child runs. */
  readonly workerPath: string;
  /** Resolves once a child is blocked. */
  begun(): Promise<void>;
}

/** Children that block forever on an output whose path begins like this: one of their threads stays busy. */
export function endless(folder: string, staged: string): Endless {
  const gate = mkdtempSync(join(folder, 'gate-'));
  const pipe = join(gate, 'endless');
  execFileSync('mkfifo', [pipe]);
  const env = { TEST_GATE: gate, TEST_GATE_BEFORE: staged, TEST_GATE_ENDLESS: pipe };
  const path = join(gate, 'worker.mjs');
  writeFileSync(
    path,
    `Object.assign(process.env, ${JSON.stringify(env)});
     await import(${JSON.stringify(new URL('../cli/gate-keeper.js', import.meta.url).href)});
     await import(${JSON.stringify(workerPath)});`,
  );
  const isHeld = () => readdirSync(gate).some((name) => name.startsWith('held-'));
  return {
    workerPath: path,
    begun: () => vi.waitFor(() => expect(isHeld()).toBe(true), { timeout: 25_000, interval: 20 }),
  };
}

/** Process ids of the current children of `parent`. */
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
    // ps fails if there is no such process.
    return '';
  }
}
