import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach } from 'vitest';
import type { Outcome, Place } from './imgtool.ts';

/** A user to whom permissions apply. Root has all permissions, so as root the binary runs as the user nobody. */

const isRoot = process.getuid?.() === 0;
const BEFORE = isRoot ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : [];

/** Whether this machine has such a user, who can also read the program. */
export const isForOthers = canRun([
  ...BEFORE,
  process.execPath,
  '--check',
  fileURLToPath(new URL('../../bin/imgtool.js', import.meta.url)),
]);

/** Runs the binary as a user who owns everything in the test's folder. */
export function runAsNobody(place: Place, args: readonly string[], ...before: string[]): Promise<Outcome> {
  if (isRoot) execFileSync('chown', ['-hR', '65534:65534', dirname(place.cwd)]);
  return place.run(args, { before: [...BEFORE, ...before] });
}

/** Removes permissions until the end of the test. */
export function forbid(path: string, mode: number): void {
  chmodSync(path, mode);
  forbidden.push(path);
}

/** Restores them. */
export function allow(path: string): void {
  chmodSync(path, 0o755);
}

const forbidden: string[] = [];
afterEach(() => {
  for (const path of forbidden.splice(0).reverse()) allow(path);
});

function canRun([command = '', ...args]: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
