// `npm start` runs this first. It installs and builds only when something has changed since the last time.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** It holds the state from which the last build was made. A clean installation removes it. */
const MARK = join(ROOT, 'node_modules', '.prepared');
/** Some machines can neither download nor compile a package. */
const HELP = 'src/help/files-and-uninstall.md says what to do if the SQLite binding cannot be built';
const INPUTS = ['package.json', 'package-lock.json', 'tsconfig.json', 'src'];

const stat = (path) => statSync(join(ROOT, path), { throwIfNoEntry: false });

/** Path, size and time of a file, or of all files in a folder. */
function factsOf(path) {
  const found = stat(path);
  if (!found?.isDirectory()) return [`${path} ${found?.size} ${found?.mtimeMs}`];
  return readdirSync(join(ROOT, path)).flatMap((name) => factsOf(`${path}/${name}`));
}

/** Packages are built for one version of Node. */
function stateNow() {
  const facts = [process.version, ...INPUTS.flatMap(factsOf)].join('\n');
  return createHash('sha256').update(facts).digest('hex');
}

function isPrepared() {
  const isBuilt = stat('node_modules/.prepared') !== undefined && stat('dist/cli.js') !== undefined;
  return isBuilt && readFileSync(MARK, 'utf8') === stateNow();
}

function npm(...args) {
  // On Windows npm is a script, which only a shell can start.
  const shell = process.platform === 'win32';
  const { status } = spawnSync('npm', args, { cwd: ROOT, stdio: 'inherit', shell });
  if (status === 0) return;
  process.stderr.write(`error: npm ${args[0]} failed\nfix: see the message above; ${HELP}\n`);
  process.exit(status ?? 1);
}

if (!isPrepared()) {
  process.stderr.write('imgtool: installing packages and building, which can take some minutes\n');
  npm('install', '--no-audit', '--no-fund', '--loglevel=error');
  // A file that is changed during the build calls for another build.
  const state = stateNow();
  npm('run', '--silent', 'build');
  writeFileSync(MARK, state);
}
