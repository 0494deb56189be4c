import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { makePlace } from './place.ts';

const { scripts } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const SCRIPT = scripts.start.replace(/^node /, '');

/** A checkout whose `npm` only notes what it was asked for, and whose program reports how it was started. */
let root: string;
beforeEach(() => {
  root = makePlace();
  for (const folder of ['src/deep', 'programs', 'bin']) mkdirSync(join(root, folder), { recursive: true });
  copyFileSync(fileURLToPath(new URL(`../${SCRIPT}`, import.meta.url)), join(root, SCRIPT));
  const program =
    "import { readFileSync } from 'node:fs';\nconst { argv, ppid, env } = process;\n" +
    "console.log(JSON.stringify({ args: argv.slice(1), ppid, stdin: readFileSync(0, 'utf8') }));\n" +
    'process.exitCode = Number(env.FAKE_EXIT ?? 0);';
  writeFileSync(join(root, 'bin/imgtool.js'), program);
  for (const name of ['package.json', 'package-lock.json', 'tsconfig.json']) {
    writeFileSync(join(root, name), JSON.stringify({ type: 'module' }));
  }
  writeFileSync(join(root, 'src/deep/a.ts'), '');
  const script =
    '#!/bin/sh\necho "$1" >> asked\necho "words of npm"\ncat >> heard\nmkdir -p node_modules dist && touch dist/cli.js\nexit "$FAKE_STATUS"\n';
  writeFileSync(join(root, 'programs/npm'), script);
  chmodSync(join(root, 'programs/npm'), 0o755);
  age();
});

/** Makes all sources older than the last preparation can be. */
function age(): void {
  const past = new Date(Date.now() - 60_000);
  for (const name of ['package.json', 'package-lock.json', 'tsconfig.json', SCRIPT, 'src/deep/a.ts']) {
    utimesSync(join(root, name), past, past);
  }
  for (const folder of ['src/deep', 'src']) utimesSync(join(root, folder), past, past);
}

/** Runs the script `start` as npm does. */
function start(status: number, exit = 0, args: readonly string[] = []) {
  const PATH = `${join(root, 'programs')}${delimiter}${process.env.PATH}`;
  const env = { ...process.env, PATH, FAKE_STATUS: String(status), FAKE_EXIT: String(exit) };
  return spawnSync(process.execPath, [SCRIPT, ...args], {
    env,
    cwd: root,
    input: 'a list',
    encoding: 'utf8',
  });
}

/** What npm is asked for by one more start. */
function asked(status = 0): string[] {
  rmSync(join(root, 'asked'), { force: true });
  expect(start(status).status).toBe(status);
  try {
    return readFileSync(join(root, 'asked'), 'utf8').trim().split('\n');
  } catch {
    return [];
  }
}

const ALL = ['install', 'run'];

describe.skipIf(process.platform === 'win32')('`npm start`', () => {
  it('installs and builds at first, and does nothing after that', () => {
    expect(asked()).toEqual(ALL);
    expect(asked()).toEqual([]);
  });

  it.each([
    ['a source is changed', () => writeFileSync(join(root, 'src/deep/a.ts'), 'new')],
    ['a source is added', () => writeFileSync(join(root, 'src/deep/b.ts'), '')],
    ['a source is removed', () => rmSync(join(root, 'src/deep/a.ts'))],
    ['the packages are changed', () => writeFileSync(join(root, 'package-lock.json'), '{}')],
    ['the build is removed', () => rmSync(join(root, 'dist'), { recursive: true })],
    ['the packages are installed anew', () => rmSync(join(root, 'node_modules'), { recursive: true })],
    ['another version of Node was used', () => writeFileSync(join(root, 'node_modules/.prepared'), 'v1')],
    [
      'an older file replaces a source',
      () => {
        writeFileSync(join(root, 'src/deep/a.ts'), 'old');
        utimesSync(join(root, 'src/deep/a.ts'), new Date(0), new Date(0));
      },
    ],
  ])('does all again when %s', (_, change) => {
    asked();
    change();
    expect(asked()).toEqual(ALL);
    expect(asked()).toEqual([]);
  });

  it('ends with the exit code of npm, and tries again the next time', () => {
    expect(asked(7)).toEqual(['install']);
    expect(asked()).toEqual(ALL);
  });

  it('says that it takes long, and where help is if npm fails', () => {
    const long = 'imgtool: installing packages and building, which can take some minutes\n';
    const { stdout, stderr } = start(7);
    const failed = `${long}words of npm\nerror: npm install failed\nfix: see the message above; src/help/`;
    expect(stderr.slice(0, failed.length)).toBe(failed);
    expect(stdout).toBe('');
    const words = 'words of npm\n'.repeat(ALL.length);
    expect([start(0).stderr, start(0).stderr]).toEqual([`${long}${words}`, '']);
  });

  it('runs the program in its own process, also after an installation', () => {
    const args = ['process', 'a b', '--json'];
    for (const exit of [3, 0]) {
      const { status, stdout } = start(0, exit, args);
      const program = { args: [join(realpathSync(root), 'bin/imgtool.js'), ...args], ppid: process.pid };
      expect(JSON.parse(stdout)).toEqual({ ...program, stdin: 'a list' });
      expect(status).toBe(exit);
    }
    expect(readFileSync(join(root, 'heard'), 'utf8')).toBe('');
    expect(Object.keys(scripts)).not.toContain('prestart');
  });
});
