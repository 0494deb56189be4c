import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { absolute, defaultIndex, hasNothing, userPath } from '../../src/config/places.ts';
import { makePlace } from '../place.ts';

const linux = { env: {}, home: '/home/a', platform: 'linux' } as const;
const mac = { env: {}, home: '/Users/a', platform: 'darwin' } as const;
const windows = { env: {}, home: 'C:\\Users\\a', platform: 'win32' } as const;

describe('the index lies', () => {
  it.each([
    [linux, '/home/a/.local/state/imgtool/index.db'],
    [{ ...linux, env: { XDG_STATE_HOME: '/s' } }, '/s/imgtool/index.db'],
    [{ ...linux, env: { XDG_STATE_HOME: 'relative' } }, '/home/a/.local/state/imgtool/index.db'],
    [{ ...linux, env: { STATE_DIRECTORY: '/var/lib/x', XDG_STATE_HOME: '/s' } }, '/var/lib/x/imgtool.db'],
    [mac, '/Users/a/Library/Application Support/imgtool/index.db'],
    [windows, 'C:\\Users\\a\\AppData\\Local\\imgtool\\index.db'],
    [{ ...windows, env: { LOCALAPPDATA: 'D:\\L' } }, 'D:\\L\\imgtool\\index.db'],
  ])('for %j at %s', (surroundings, place) => {
    expect(defaultIndex(surroundings)).toBe(place);
  });
});

describe("the user's own file lies", () => {
  it.each([
    [linux, '/home/a/.config/imgtool/'],
    [{ ...linux, env: { XDG_CONFIG_HOME: '/c' } }, '/c/imgtool/'],
    [mac, '/Users/a/Library/Application Support/imgtool/'],
    [{ ...windows, env: { APPDATA: 'D:\\R' } }, 'D:\\R\\imgtool\\'],
  ])('for %j in %s', (surroundings, place) => {
    expect(`${userPath(surroundings, 'config')}${surroundings.platform === 'win32' ? '\\' : '/'}`).toBe(
      place,
    );
  });
});

describe('what Node compiled lies', () => {
  it.each([
    [linux, '/home/a/.cache/imgtool/compiled'],
    [{ ...linux, env: { XDG_CACHE_HOME: '/c' } }, '/c/imgtool/compiled'],
    [mac, '/Users/a/Library/Caches/imgtool/compiled'],
    [{ ...windows, env: { LOCALAPPDATA: 'D:\\L' } }, 'D:\\L\\imgtool\\compiled'],
  ])('for %j in %s', (surroundings, place) => {
    expect(userPath(surroundings, 'cache', 'compiled')).toBe(place);
  });
});

describe('a path', () => {
  it('has nothing only where nothing is', () => {
    const place = makePlace();
    writeFileSync(join(place, 'list.txt'), '');
    const have = ['fotos', 'list.txt/x', 'list.txt'].map((name) => hasNothing(join(place, name)));
    expect(have).toEqual([true, true, false]);
  });
});

describe('a user without a home folder', () => {
  const homeless = { ...linux, home: undefined };

  it('has the folders that variables name', () => {
    expect(defaultIndex({ ...homeless, env: { XDG_STATE_HOME: '/s' } })).toBe('/s/imgtool/index.db');
    expect(defaultIndex({ ...homeless, env: { STATE_DIRECTORY: '/var/lib/x' } })).toBe(
      '/var/lib/x/imgtool.db',
    );
  });

  it('has no file of settings and no folder for compiled code', () => {
    expect([userPath(homeless, 'config'), userPath(homeless, 'cache', 'compiled')]).toEqual([
      undefined,
      undefined,
    ]);
  });

  it('gets an error where a home folder is needed', () => {
    expect(() => defaultIndex(homeless)).toThrow('the index has no place');
    expect(() => absolute('~/x', '/pictures', undefined)).toThrow('~/x: this user has no home folder');
    expect(absolute('x', '/pictures', undefined)).toBe('/pictures/x');
  });
});
