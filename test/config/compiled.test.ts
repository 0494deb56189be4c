import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { keepCompiled } from '../../src/config/compiled.ts';
import { makePlace } from '../place.ts';

/** Runs it as a Node that can keep what it compiled, or refuses to; where it was told to. */
function kept(env: NodeJS.ProcessEnv, refuses = false): string[] {
  const folders: string[] = [];
  keepCompiled(env, {
    enableCompileCache(folder) {
      folders.push(folder);
      return refuses ? {} : { directory: folder };
    },
  });
  return folders;
}

it('keeps what was compiled in a folder that only the user may write, for the children too', () => {
  const place = makePlace();
  const env: NodeJS.ProcessEnv = { XDG_CACHE_HOME: place };
  const folder = join(place, 'imgtool', 'compiled');
  expect(kept(env)).toEqual([folder]);
  expect(env.NODE_COMPILE_CACHE).toBe(folder);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(kept({ XDG_CACHE_HOME: place }), 'the next time').toEqual([folder]);
});

it('tells children of nothing where Node refuses', () => {
  const env: NodeJS.ProcessEnv = { XDG_CACHE_HOME: makePlace() };
  expect([kept(env, true).length, env.NODE_COMPILE_CACHE]).toEqual([1, undefined]);
});

it('does without for a user who has no home', () => {
  const env: NodeJS.ProcessEnv = {};
  keepCompiled(env, { enableCompileCache: (directory) => ({ directory }) }, () => undefined);
  expect(env).toEqual({});
});

it('leaves alone whoever has chosen for himself', () => {
  const place = makePlace();
  expect(kept({ XDG_CACHE_HOME: place, NODE_COMPILE_CACHE: '/elsewhere' })).toEqual([]);
  expect(kept({ XDG_CACHE_HOME: place, NODE_DISABLE_COMPILE_CACHE: '1' })).toEqual([]);
  expect(readdirSync(place)).toEqual([]);
});

it('runs nothing that others may have put there', () => {
  for (const which of ['imgtool', 'imgtool/compiled']) {
    const place = makePlace();
    mkdirSync(join(place, 'imgtool/compiled'), { recursive: true, mode: 0o700 });
    chmodSync(join(place, which), 0o777);
    expect(kept({ XDG_CACHE_HOME: place }), which).toEqual([]);
  }
});

it('keeps nothing below a folder of caches that others may write into', () => {
  const place = makePlace();
  chmodSync(place, 0o777);
  expect(kept({ XDG_CACHE_HOME: place })).toEqual([]);
});

it('does without where there is no place for it, and where Node keeps nothing', () => {
  const place = makePlace();
  expect(kept({ XDG_CACHE_HOME: join(place, 'not') })).toEqual([]);
  expect(kept({ XDG_CACHE_HOME: '/proc/self' })).toEqual([]);
  expect(() => keepCompiled({ XDG_CACHE_HOME: place }, {})).not.toThrow();
  expect(readdirSync(place)).toEqual([]);
  writeFileSync(join(place, 'imgtool'), 'a file');
  expect(kept({ XDG_CACHE_HOME: place })).toEqual([]);
});
