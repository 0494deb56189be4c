import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { storeBeside } from '../../src/adapters/sqlite/file.ts';
import { openSqliteStore } from '../../src/adapters/store/sqlite.ts';
import type { Check } from '../../src/model/mended.ts';
import { rootPageOf, spoil } from '../adapters/sqlite-index/filled.ts';
import { completed, newImage, takeNext, upload } from '../contract/store-steps.ts';
import { openPlace, type Place } from './imgtool.ts';
import { picture, putOld } from './pictures.ts';

let place: Place;
let path: string;
let storage: string;
beforeEach(() => {
  place = openPlace();
  path = storeBeside(place.index);
  storage = join(dirname(place.index), 'storage');
});

/** A store with a completed image and one that waits. Returns the id of their batch, and the open store. */
async function fill() {
  const store = await openSqliteStore(path);
  const { id, images } = await upload(store, { images: [newImage(), newImage()] });
  await store.settle(await takeNext(store), completed(images[0]?.id ?? ''));
  return { id, store };
}

/** Damage that a start detects. */
const damage = () => spoil(path, [rootPageOf(path, 'images_by_batch')]);

async function doctor(...args: string[]) {
  const { code, stdout } = await place.run(['doctor', '--json', ...args]);
  const { checks } = JSON.parse(stdout) as { checks: Check[] };
  const named = (name: string) => checks.find((check) => check.name === name);
  return { code, store: named('store'), storage: named('storage') };
}

describe('doctor', () => {
  it('says nothing of a service where there is none', async () => {
    expect(await doctor()).toEqual({ code: 0, store: undefined, storage: undefined });
  });

  it('shows what the store holds, also while a service works with it', async () => {
    mkdirSync(storage, { recursive: true });
    const { store } = await fill();
    const held = await doctor();
    expect(held.code).toBe(0);
    expect(held.store).toMatchObject({ state: 'ok', value: expect.stringContaining(`${path} (version 2, `) });
    expect(held.store?.value).toContain('2 images (1 not ended), 1 output, in use by imgtool serve)');
    await store.close();
    const free = await doctor();
    expect(free.store?.value).toMatch(/2 images \(1 not ended\), 1 output\)$/);
    expect(free.storage).toMatchObject({ value: expect.stringMatching(/^\/.*storage \([\d,]+ MB free of /) });
  });

  it('reports a damaged store with the commands that restore a copy, and so does every other command', async () => {
    await (await fill()).store.close();
    copyFileSync(path, place.at('copy'));
    damage();
    const { code, store } = await doctor();
    expect([code, store?.state]).toEqual([1, 'problem']);
    expect(store?.fix).toContain('imgtool doctor --backup');
    expect(store?.fix).toContain(`rm -f ${path}-wal ${path}-shm && cp <copy> ${path}`);
    const refused = await place.run(['serve', '--listen', '127.0.0.1:0']);
    expect([refused.code, refused.stderr]).toEqual([3, expect.stringContaining(`cp <copy> ${path}`)]);
    for (const end of ['-wal', '-shm']) rmSync(path + end, { force: true });
    copyFileSync(place.at('copy'), path);
    expect((await doctor()).store).toMatchObject({ state: 'ok' });
  });

  it('reports a storage folder that is gone or cannot be written', async () => {
    await (await fill()).store.close();
    const gone = await doctor();
    expect(gone.code).toBe(1);
    expect(gone.storage).toMatchObject({
      state: 'problem',
      value: `${storage}: is not there, but must have 1 output`,
      fix: expect.stringContaining('put it back from a copy'),
    });
    place.put('.imgtoolrc', `storage: ${place.put('file', '')}/below\n`);
    expect((await doctor()).storage).toMatchObject({ state: 'problem', fix: expect.any(String) });
  });

  it('looks at the storage folder of the last service, unless a setting names another', async () => {
    await (await fill()).store.close();
    const service = place.start([
      'serve',
      '--listen',
      '127.0.0.1:0',
      '--admin',
      'none',
      '--storage',
      'images',
    ]);
    await service.line(/listening /, 'stderr');
    service.signal('SIGTERM');
    await service.ended;
    const found = await doctor();
    expect(found.code).toBe(0);
    expect(found.storage?.value).toContain(`${place.at('images')} (`);
    place.put('.imgtoolrc', 'storage: elsewhere\n');
    expect((await doctor()).storage?.value).toContain(`${place.at('elsewhere')}: is not there`);
  });

  it('shows a storage folder that is planned', async () => {
    place.put('.imgtoolrc', 'storage: images\n');
    const planned = await doctor();
    expect([planned.code, planned.store]).toEqual([0, undefined]);
    expect(planned.storage?.value).toBe(`${place.at('images')}: is not there; imgtool serve makes it`);
  });
});

describe('doctor --backup', () => {
  it('saves index and store, and a service goes on with the copies', async () => {
    putOld(place.at('photos/a.jpg'), await picture({ seed: 1 }));
    await place.process();
    const { id, store } = await fill();
    const { code, stdout } = await place.run(['doctor', '--backup', 'copy.db', '--json']);
    await store.close();
    expect(code).toBe(0);
    const file = place.at('copy.serve.db');
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ v: 1, backup: { index: place.index, file: place.at('copy.db'), batches: 1 } },
      store: { store: path, file, images: 2, waiting: 1, outputs: 1 },
    });
    const copy = await openSqliteStore(file);
    expect(await copy.batchOf('all', id)).toMatchObject({ counts: { completed: 1, pending: 1 } });
    await copy.close();
  });

  it('saves the store alone where there is no index', async () => {
    const { store } = await fill();
    const { code, stdout } = await place.run(['doctor', '--backup', 'copy.db']);
    await store.close();
    expect([code, existsSync(place.at('copy.db'))]).toEqual([0, false]);
    expect(stdout).toContain('The store of uploads was saved.');
    expect(stdout).toContain(place.at('copy.serve.db'));
  });

  it('saves both or nothing, and replaces no file', async () => {
    putOld(place.at('photos/a.jpg'), await picture({ seed: 1 }));
    await place.process();
    await (await fill()).store.close();
    place.put('copy.serve.db', 'mine');
    const taken = await place.run(['doctor', '--backup', 'copy.db']);
    expect([taken.code, taken.stderr]).toEqual([2, expect.stringContaining('copy.serve.db exists already')]);
    expect(readFileSync(place.at('copy.serve.db'), 'utf8')).toBe('mine');
    damage();
    const damaged = await place.run(['doctor', '--backup', 'other.db']);
    expect([damaged.code, damaged.stderr]).toEqual([3, expect.stringContaining('the store is damaged')]);
    expect(place.files('').filter((name) => /^(copy|other)/.test(name))).toEqual(['copy.serve.db']);
  });
});

describe('doctor --repair', () => {
  it('says that the store is in order, or damaged, and leaves it as it is', async () => {
    await (await fill()).store.close();
    const sound = await place.run(['doctor', '--repair']);
    expect([sound.code, sound.stdout]).toEqual([
      0,
      expect.stringContaining('The store of uploads is in order.'),
    ]);
    damage();
    const bytes = readFileSync(path);
    const damaged = await place.run(['doctor', '--repair']);
    expect([damaged.code, damaged.stdout.replace(/\s+/g, ' ')]).toEqual([
      1,
      expect.stringContaining('The store of uploads is damaged, and a repair never changes it.'),
    ]);
    expect(damaged.stdout).toContain('fix: end imgtool serve');
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });
});

describe('serve', () => {
  it('is refused on the storage folder of another service', async () => {
    const listen = ['--listen', '127.0.0.1:0', '--storage', 'images'];
    const first = place.start(['serve', ...listen]);
    await first.line(/listening /, 'stderr');
    const second = await place.run(['serve', ...listen, '--index', 'other.db']);
    expect(second.code).toBe(3);
    expect(second.stderr).toContain(`${place.at('images')}: is in use by imgtool serve (process `);
    expect(second.stderr).toContain('name another --storage');
    first.signal('SIGTERM');
    expect((await first.ended).signal).toBe('SIGTERM');
  });
});
