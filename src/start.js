// `npm start` runs this. It installs and builds only when something has changed since the last time. Then it loads the
// program into this process, because a second process would take longer than the program itself.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const BIN = new URL('../bin/imgtool.js', import.meta.url);
/** It holds the state from which the last build was made. A clean installation removes it. */
const MARK = `${ROOT}node_modules/.prepared`;
/** Some machines can neither download nor compile a package. */
const HELP = 'src/help/files-and-uninstall.md says what to do if the SQLite binding cannot be built';
const INPUTS = ['package.json', 'package-lock.json', 'tsconfig.json', 'src'];

const stat = (path) => statSync(ROOT + path, { throwIfNoEntry: false });

/** Path, size and time of a file, or of all files in a folder. */
function factsOf(path) {
  const found = stat(path);
  if (!found?.isDirectory()) return [`${path} ${found?.size} ${found?.mtimeMs}`];
  return readdirSync(ROOT + path).flatMap((name) => factsOf(`${path}/${name}`));
}

/** Packages are built for one version of Node. A digest would take longer than the comparison of this text. */
const stateNow = () => [process.version, ...INPUTS.flatMap(factsOf)].join('\n');

function isPrepared() {
  const isBuilt = stat('node_modules/.prepared') !== undefined && stat('dist/cli.js') !== undefined;
  return isBuilt && readFileSync(MARK, 'utf8') === stateNow();
}

async function npm(...args) {
  const { spawnSync } = await import('node:child_process');
  // The program alone reads the standard input and writes the standard output.
  const stdio = ['ignore', process.stderr.fd, 'inherit'];
  // On Windows npm is a script, which only a shell can start.
  const shell = process.platform === 'win32';
  const { status } = spawnSync('npm', args, { cwd: ROOT, stdio, shell });
  if (status === 0) return;
  process.stderr.write(`error: npm ${args[0]} failed\nfix: see the message above; ${HELP}\n`);
  process.exit(status ?? 1);
}

if (!isPrepared()) {
  process.stderr.write('imgtool: installing packages and building, which can take some minutes\n');
  await npm('install', '--no-audit', '--no-fund', '--loglevel=error');
  // A file that is changed during the build calls for another build.
  const state = stateNow();
  await npm('run', '--silent', 'build');
  writeFileSync(MARK, state);
}
process.argv[1] = fileURLToPath(BIN);
import(BIN.href);
