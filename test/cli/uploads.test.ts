import { writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { storeBeside } from '../../src/adapters/sqlite/file.ts';
import { openSqliteStore } from '../../src/adapters/store/sqlite.ts';
import type { Store } from '../../src/ports.ts';
import { completed, newImage, takeNext, tornEnd, upload } from '../contract/store-steps.ts';
import { finishedOf, openPlace, type Place } from './imgtool.ts';
import { picture, putOld } from './pictures.ts';

/** Batches of the service, beside those of the command line. */

let place: Place;
let store: Store;
beforeEach(async () => {
  place = openPlace();
  store = await openSqliteStore(storeBeside(place.index));
  return () => store.close();
});

/** An upload with a completed image and one that failed. */
async function uploadTwo() {
  const { id, images } = await upload(store, { images: [newImage(), newImage({ name: 'torn.jpg' })] });
  await store.settle(await takeNext(store), completed(images[0]?.id ?? ''));
  await store.settle(await takeNext(store), tornEnd);
  await store.endBatch(id);
  return { id, failed: images[1]?.id ?? '' };
}

type Listed = { batches: { id: string; command: string; state: string; inputs: string[] }[] };
const list = async (...args: string[]) => {
  const { stdout, stderr, code } = await place.run(['list', '--json', ...args]);
  expect([code, stderr]).toEqual([0, '']);
  return (JSON.parse(stdout) as Listed).batches;
};

describe('list', () => {
  it('shows batches of both by their start, newest first, while the service runs', async () => {
    const first = await uploadTwo();
    putOld(place.at('photos/a.jpg'), await picture({ seed: 1 }));
    const { batch } = finishedOf(await place.process());
    const last = await uploadTwo();
    expect((await list()).map(({ id }) => id)).toEqual([last.id, batch, first.id]);
    expect((await list('--limit', '2')).map(({ id }) => id)).toEqual([last.id, batch]);
    expect((await list())[2]).toMatchObject({ command: 'upload', state: 'finished', inputs: ['ann'] });
  });

  it('shows uploads when there is no index', async () => {
    const { id } = await uploadTwo();
    expect((await list()).map((batch) => batch.id)).toEqual([id]);
    const { stdout } = await place.run(['list']);
    expect(stdout).toContain('ann (upload)');
  });
});

describe('status', () => {
  it('shows an upload by the first digits of its id, with the reasons of its failed images', async () => {
    const { id, failed } = await uploadTwo();
    const { stdout, code } = await place.run(['status', id.slice(0, 8)]);
    expect(code).toBe(0);
    expect(stdout).toContain(`Batch ${id}`);
    expect(stdout).toContain('finished, 1 failed  of ann  -> bucket shop');
    expect(stdout).toMatch(/upload +preset archive\n/);
    expect(stdout).toContain(`${failed}/torn.jpg`);
    expect(stdout).toContain('is torn');
  });

  it('shows the newest of all batches as the last one', async () => {
    putOld(place.at('photos/a.jpg'), await picture({ seed: 1 }));
    await place.process();
    const { id } = await uploadTwo();
    expect(await place.status('last', '--all')).toMatchObject({
      batch: { id, out: 'shop', inputs: ['ann'], counts: { completed: 1, failed: 1 } },
      jobs: [{ state: 'completed' }, { state: 'failed', error: { code: 'corrupt' } }],
    });
  });

  it('still shows a batch of the command line', async () => {
    await uploadTwo();
    putOld(place.at('photos/a.jpg'), await picture({ seed: 1 }));
    const { batch } = finishedOf(await place.process());
    expect(await place.status(batch.slice(0, 6))).toMatchObject({ batch: { id: batch, command: 'process' } });
    const { stderr, code } = await place.run(['status', 'ffffff']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('no batch has this id')]);
  });

  it('reports a store that it cannot read', async () => {
    await store.close();
    writeFileSync(
      storeBeside(place.index),
      'this is a shopping list and no database, however long it may be',
    );
    const { stderr, code } = await place.run(['list']);
    expect([code, stderr]).toEqual([3, expect.stringContaining('is no store')]);
  });
});
