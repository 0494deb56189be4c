import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite, { type Database } from 'better-sqlite3';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { type Locks, locksOf } from '../../../src/adapters/sqlite/locks.ts';
import { INDEX } from '../../../src/adapters/sqlite-index/migrations.ts';
import { makePlace } from '../../place.ts';

let path: string;
let one: Locks;
let other: Locks;
let opened: number;
let stillOpen: () => number;
beforeEach(() => {
  path = join(makePlace(), 'index.db');
  one = locksOf(Sqlite, path, INDEX);
  opened = 0;
  const files: Database[] = [];
  stillOpen = () => files.filter((file) => file.open).length;
  const counting = new Proxy(Sqlite, {
    construct(target, args: ConstructorParameters<typeof Sqlite>) {
      opened++;
      const file = new target(...args);
      files.push(file);
      return file;
    },
  });
  other = locksOf(counting, path, INDEX);
});

const fileOf = (run: string) => join(`${path}.runs`, `${run}.lock`);
const put = (run: string) => {
  mkdirSync(`${path}.runs`, { recursive: true });
  writeFileSync(fileOf(run), '');
};

describe('the lock of a run', () => {
  it('is checked repeatedly through one open file', () => {
    one.hold('0a');
    for (let i = 0; i < 50; i++) expect(other.isHeld('0a')).toBe(true);
    expect(opened).toBe(1);
    one.letGo();
    for (let i = 0; i < 50; i++) expect(other.isHeld('0a')).toBe(false);
    expect(opened).toBe(1);
    other.letGo();
  });

  it('is checked on the current file, not on a previous one', () => {
    one.hold('0a');
    expect(other.isHeld('0a')).toBe(true);
    one.release('0a');
    one.hold('0a');
    expect([other.isHeld('0a'), opened]).toEqual([true, 2]);
    one.release('0a');
    expect([other.isHeld('0a'), opened]).toEqual([false, 2]);
  });

  it('keeps no file open for long after the run has ended', () => {
    for (let i = 10; i < 30; i++) {
      one.hold(`${i}`);
      expect(other.held()).toEqual([`${i}`]);
      one.release(`${i}`);
    }
    expect([opened, stillOpen()]).toEqual([20, 1]);
    other.letGo();
  });

  it('that cannot be held is reported with its folder', () => {
    writeFileSync(`${path}.runs`, '');
    const refused = { code: 'index_unusable', message: expect.stringContaining(`${path}.runs: `) };
    expect(() => one.hold('0a')).toThrow(expect.objectContaining(refused));
  });

  it('is reported as lost to its own run alone when its file is removed or replaced', () => {
    one.hold('0a');
    one.check('0a');
    rmSync(fileOf('0a'));
    const missed = expect.objectContaining({ message: expect.stringContaining('its lock was removed') });
    expect(() => one.check('0a')).toThrow(missed);
    put('0a');
    expect(() => one.check('0a')).toThrow(missed);
    other.check('0a');
    one.letGo();
  });
});

describe('a lock file that a dead run has left', () => {
  it('is found and held by one connection, and gone once released', () => {
    put('0dead');
    one.hold('0a');
    expect(other.leftBehind(new Set())).toEqual(['0dead']);
    expect(other.leftBehind(new Set()), 'until it is released').toEqual(['0dead']);
    expect(one.leftBehind(new Set())).toEqual([]);
    other.release('0dead');
    expect(readdirSync(`${path}.runs`)).toEqual(['0a.lock']);
    one.letGo();
  });

  it('is not reported if it has a row or is held', () => {
    put('0dead');
    one.hold('0a');
    expect(other.leftBehind(new Set(['0dead']))).toEqual([]);
    expect(one.leftBehind(new Set(['0dead']))).toEqual([]);
    one.letGo();
  });

  it('is created again if it was removed by mistake before it was locked', () => {
    const run = Sqlite.prototype.exec;
    const exec = vi.spyOn(Sqlite.prototype, 'exec');
    exec.mockImplementation(function (this: Database, sql) {
      if (sql !== 'BEGIN EXCLUSIVE') return run.call(this, sql);
      exec.mockRestore();
      // Between the creation of the file and its lock.
      expect(other.leftBehind(new Set())).toEqual(['0a']);
      other.release('0a');
      return this.exec(sql);
    });
    one.hold('0a');
    expect([existsSync(fileOf('0a')), other.isHeld('0a')]).toEqual([true, true]);
    one.check('0a');
    expect(other.leftBehind(new Set())).toEqual([]);
    one.letGo();
  });
});
