import {
  chmodSync,
  existsSync,
  fstatSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { openLocalObjects } from '../../../src/adapters/local-storage/objects.ts';
import { ImgtoolError } from '../../../src/errors.ts';
import type { Objects } from '../../../src/ports.ts';
import { objectsConformance } from '../../contract/objects.ts';
import { makePlace } from '../../place.ts';

/** Is called with the inode of each file or folder that is made durable. */
const spy = vi.hoisted(() => ({ synced: (_inode: number) => {}, unremovable: '' }));
vi.mock('node:fs', async (load) => {
  const real = await load<typeof import('node:fs')>();
  const fsync = (file: number, end: (error: Error | null) => void) => {
    spy.synced(fstatSync(file).ino);
    real.fsync(file, end);
  };
  return { ...real, fsync };
});

vi.mock('node:fs/promises', async (load) => {
  const real = await load<typeof import('node:fs/promises')>();
  const unlink = async (path: string) => {
    if (path === spy.unremovable) throw Object.assign(new Error('as asked'), { code: 'EIO' });
    return real.unlink(path);
  };
  return { ...real, unlink };
});

objectsConformance('a local folder', async () => openLocalObjects(join(makePlace(), 'storage')));

describe('local objects', () => {
  let place: string;
  let root: string;
  let objects: Objects;
  beforeEach(async () => {
    spy.synced = () => {};
    spy.unremovable = '';
    place = makePlace();
    root = join(place, 'storage');
    objects = openLocalObjects(root);
    await objects.prepare();
  });

  const put = async (key: string, text = 'picture') => {
    const one = await objects.stage(key);
    writeFileSync(one.path, text, { flag: 'wx' });
    await objects.commit([one]);
    await one.discard();
  };

  it('are files at their keys', async () => {
    await put('photos/processed/a.webp');
    expect(readFileSync(join(root, 'photos/processed/a.webp'), 'utf8')).toBe('picture');
    expect(await objects.locate('photos/processed/a.webp')).toEqual({
      path: join(root, 'photos/processed/a.webp'),
    });
  });

  it('become durable in this order: bytes, names, folders', async () => {
    await put('photos/old');
    const keys = ['photos/a', 'photos/b'];
    const staged = await Promise.all(keys.map((key) => objects.stage(key)));
    for (const { path } of staged) writeFileSync(path, 'picture');
    const files = staged.map(({ path }) => statSync(path).ino);
    const folder = statSync(join(root, 'photos')).ino;
    const order: [inode: number, names: number][] = [];
    spy.synced = (inode) => order.push([inode, keys.filter((key) => existsSync(join(root, key))).length]);
    await objects.commit(staged);
    expect(order.slice(0, 2).sort()).toEqual(files.map((ino) => [ino, 0]).sort());
    expect(order.slice(2)).toEqual([[folder, 2]]);
  });

  it('make new folders durable in the folders above them', async () => {
    const synced = new Set<number>();
    spy.synced = (inode) => synced.add(inode);
    await put('photos/processed/a');
    for (const folder of ['', 'photos', 'photos/processed']) {
      expect(synced).toContain(statSync(join(root, folder)).ino);
    }
  });

  it('leave no folder of their kind behind when the last one is removed', async () => {
    await put('photos/processed/x/a');
    await objects.remove(['photos/processed/x/a']);
    expect(readdirSync(join(root, 'photos'))).toEqual([]);
  });

  it('share their bytes on the disk with their copies', async () => {
    await put('a');
    const copy = await objects.stageFrom('a', 'b');
    await objects.commit([copy]);
    expect(statSync(join(root, 'b')).ino).toBe(statSync(join(root, 'a')).ino);
  });

  it('leave no staged file behind when a copy is made twice', async () => {
    await put('a');
    for (const _ of ['once', 'again']) {
      const copy = await objects.stageFrom('a', 'b');
      await objects.commit([copy]);
      await copy.discard();
    }
    expect(readdirSync(join(root, '.staged'))).toEqual([]);
  });

  it('have copies with the mode of a new file', async () => {
    await put('a');
    const { mode } = statSync(join(root, 'a'));
    chmodSync(join(root, 'a'), 0o600);
    const copy = await objects.stageFrom('a', 'b');
    await objects.commit([copy]);
    expect(statSync(join(root, 'b')).mode).toBe(mode);
  });

  describe.each(['a link to a file', 'a link to a folder'])('behind %s', (kind) => {
    const outside = () => join(place, 'outside');
    const key = kind === 'a link to a file' ? 'photos/secret' : 'photos/link/secret';
    beforeEach(async () => {
      mkdirSync(outside());
      writeFileSync(join(outside(), 'secret'), 'secret');
      await put('photos/own');
      if (kind === 'a link to a file') symlinkSync(join(outside(), 'secret'), join(root, key));
      else symlinkSync(outside(), join(root, 'photos/link'));
    });

    it('are neither served, copied nor listed', async () => {
      expect(await objects.locate(key)).toBeNull();
      await expect(objects.fetch(key)).rejects.toMatchObject({ code: 'source_missing' });
      await expect(objects.stageFrom(key, 'copy')).rejects.toMatchObject({ code: 'source_missing' });
      const keys = [];
      for (const prefix of ['', 'photos/', 'photos/link/']) {
        for await (const one of objects.list(prefix)) keys.push(one.key);
      }
      expect(keys).toEqual(['photos/own', 'photos/own']);
    });

    it('are not removed', async () => {
      await objects.remove([key]);
      expect(readFileSync(join(outside(), 'secret'), 'utf8')).toBe('secret');
      expect(existsSync(join(root, key))).toBe(true);
    });

    it('are not written', async () => {
      await put(key, 'new').catch((error) => expect(error).toMatchObject({ code: 'not_writable' }));
      expect(readdirSync(outside())).toEqual(['secret']);
      expect(readFileSync(join(outside(), 'secret'), 'utf8')).toBe('secret');
      expect(readdirSync(join(root, '.staged'))).toHaveLength(kind === 'a link to a file' ? 0 : 1);
    });
  });

  it('are not written through a symbolic link that replaces their folder before the commit', async () => {
    const one = await objects.stage('photos/a');
    writeFileSync(one.path, 'picture');
    mkdirSync(join(place, 'outside'));
    symlinkSync(join(place, 'outside'), join(root, 'photos'));
    await expect(objects.commit([one])).rejects.toMatchObject({ code: 'not_writable' });
    expect(readdirSync(join(place, 'outside'))).toEqual([]);
  });

  it('take no folder for an object', async () => {
    await put('photos/x/a');
    expect(await objects.locate('photos/x')).toBeNull();
    await objects.remove(['photos/x', 'photos']);
    expect(existsSync(join(root, 'photos/x/a'))).toBe(true);
    await expect(put('photos/x')).rejects.toMatchObject({ code: 'io' });
  });

  it('lose the staged files of a process that is gone at the next start, and no file of this one', async () => {
    const one = await objects.stage('a');
    writeFileSync(one.path, 'picture');
    linkSync(one.path, join(root, '.staged/dead-0.tmp'));
    await objects.prepare();
    expect(readdirSync(join(root, '.staged')).map((name) => join(root, '.staged', name))).toEqual([one.path]);
  });

  it('are neither stored, found nor removed while their disk is gone, and are there again after it', async () => {
    const held = join(root, 'held');
    const gone = new ImgtoolError('storage_unusable', 'as asked');
    const there = () => {
      if (!existsSync(held)) throw gone;
    };
    objects = openLocalObjects(root, () => there);
    await objects.prepare();
    writeFileSync(held, '');
    await put('photos/a');
    const one = await objects.stage('photos/b');
    writeFileSync(one.path, 'picture');
    renameSync(root, join(place, 'away'));
    mkdirSync(root);
    const calls = [
      ...[objects.stage('photos/c'), objects.stageFrom('photos/a', 'photos/c'), objects.commit([one])],
      ...[objects.fetch('photos/a'), objects.locate('photos/a'), objects.remove(['photos/a'])],
    ];
    for (const end of await Promise.allSettled(calls))
      expect(end).toEqual({ status: 'rejected', reason: gone });
    expect(readdirSync(root)).toEqual([]);
    rmdirSync(root);
    renameSync(join(place, 'away'), root);
    await objects.commit([one]);
    for (const key of ['photos/a', 'photos/b']) expect(await objects.locate(key)).not.toBeNull();
  });

  it('are removed as far as they can be', async () => {
    await put('photos/b');
    await put('photos/c');
    spy.unremovable = join(root, 'photos/b');
    await expect(objects.remove(['photos/b', 'photos/c'])).rejects.toMatchObject({
      code: 'io',
      message: expect.stringMatching(/^photos\/b: could not be removed/),
    });
    expect(await objects.locate('photos/c')).toBeNull();
  });

  it('have errors that name keys and the setting of the storage, and no path of the machine', async () => {
    writeFileSync(join(root, 'taken'), 'a file in the place of a folder');
    const one = await objects.stage('taken/a');
    writeFileSync(one.path, 'picture');
    const unwritten = await objects.stage('photos/a');
    for (const staged of [one, unwritten]) {
      const error = await objects.commit([staged]).catch((thrown: unknown) => thrown as ImgtoolError);
      if (!(error instanceof ImgtoolError)) throw new Error('it was stored');
      expect(error.message).toMatch(/^(taken|photos)/);
      expect(`${error.message} ${error.fix}`).not.toMatch(/\{\{out\}\}|\/storage/);
    }
  });

  it('say what is wrong with a folder that cannot be written, and which setting names it', async () => {
    const file = join(place, 'file');
    writeFileSync(file, '');
    const hint = expect.stringContaining('{{storage}}');
    const at = (path: string) => ({ message: expect.stringContaining(path), fix: hint });
    for (const path of [file, join(file, 'below'), '/proc/none']) {
      await expect(openLocalObjects(path).prepare()).rejects.toMatchObject(at(path));
    }
    await expect(openLocalObjects(file).prepare()).rejects.toMatchObject({ code: 'not_writable' });
  });
});
