// `npm start` runs this first. It installs and builds only when something has changed since the last time.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** It holds the version of Node that the packages were built for. A clean installation removes it. */
const MARK = join(ROOT, 'node_modules', '.prepared');
const INPUTS = ['package.json', 'package-lock.json', 'tsconfig.json', 'src'];

const stat = (path) => statSync(path, { throwIfNoEntry: false });

/** The latest change of a file, or of a folder and all that it contains, in milliseconds since 1970. */
function changedAt(path) {
  const found = stat(path);
  if (found === undefined) return 0;
  if (!found.isDirectory()) return found.mtimeMs;
  return Math.max(found.mtimeMs, ...readdirSync(path).map((name) => changedAt(join(path, name))));
}

function isPrepared() {
  const mark = stat(MARK);
  if (mark === undefined || readFileSync(MARK, 'utf8') !== process.version) return false;
  if (stat(join(ROOT, 'dist', 'cli.js')) === undefined) return false;
  return INPUTS.every((name) => changedAt(join(ROOT, name)) < mark.mtimeMs);
}

function npm(...args) {
  // On Windows npm is a script, which only a shell can start.
  const { status } = spawnSync('npm', args, {
    cwd: ROOT,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (status !== 0) process.exit(status ?? 1);
}

if (!isPrepared()) {
  npm('install', '--no-audit', '--no-fund', '--loglevel=error');
  npm('run', '--silent', 'build');
  writeFileSync(MARK, process.version);
}
