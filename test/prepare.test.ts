import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { makePlace } from './place.ts';

/** A checkout whose `npm` only notes what it was asked for. */
let root: string;
beforeEach(() => {
  root = makePlace();
  for (const folder of ['src/deep', 'programs']) mkdirSync(join(root, folder), { recursive: true });
  copyFileSync(fileURLToPath(new URL('../src/prepare.js', import.meta.url)), join(root, 'src/prepare.js'));
  for (const name of ['package.json', 'package-lock.json', 'tsconfig.json']) {
    writeFileSync(join(root, name), JSON.stringify({ type: 'module' }));
  }
  writeFileSync(join(root, 'src/deep/a.ts'), '');
  const script =
    '#!/bin/sh\necho "$1" >> asked\nmkdir -p node_modules dist && touch dist/cli.js\nexit "$FAKE_STATUS"\n';
  writeFileSync(join(root, 'programs/npm'), script);
  chmodSync(join(root, 'programs/npm'), 0o755);
  age();
});

/** Makes all sources older than the last preparation can be. */
function age(): void {
  const past = new Date(Date.now() - 60_000);
  for (const name of [
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'src/prepare.js',
    'src/deep/a.ts',
  ]) {
    utimesSync(join(root, name), past, past);
  }
  for (const folder of ['src/deep', 'src']) utimesSync(join(root, folder), past, past);
}

function prepare(status: number) {
  const PATH = `${join(root, 'programs')}${delimiter}${process.env.PATH}`;
  const env = { ...process.env, PATH, FAKE_STATUS: String(status) };
  return spawnSync(process.execPath, [join(root, 'src/prepare.js')], { env, cwd: root, encoding: 'utf8' });
}

/** What npm is asked for by one more preparation. */
function asked(status = 0): string[] {
  rmSync(join(root, 'asked'), { force: true });
  expect(prepare(status).status).toBe(status);
  try {
    return readFileSync(join(root, 'asked'), 'utf8').trim().split('\n');
  } catch {
    return [];
  }
}

const ALL = ['install', 'run'];

describe.skipIf(process.platform === 'win32')('the preparation of `npm start`', () => {
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
    const { stderr } = prepare(7);
    expect(stderr.startsWith(`${long}error: npm install failed\nfix: see the message above; src/help/`)).toBe(
      true,
    );
    expect([prepare(0).stderr, prepare(0).stderr]).toEqual([long, '']);
  });
});
