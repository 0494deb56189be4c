import { chmodSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { openStoreHistory } from '../../../src/adapters/store/history.ts';
import { openSqliteStore } from '../../../src/adapters/store/sqlite.ts';
import type { Store } from '../../../src/ports.ts';
import {
  completed,
  HOUR,
  MS,
  newImage,
  output,
  PRESET,
  START,
  TORN,
  takeNext,
  tornEnd,
  upload,
} from '../../contract/store-steps.ts';
import { makePlace } from '../../place.ts';

let path: string;
let now: number;
beforeEach(() => {
  path = join(makePlace(), 'index.serve.db');
  now = START;
});

const open = () => openSqliteStore(path, { now: () => now });

/** Asks the history and closes it. */
async function ask<T>(
  question: (past: Awaited<ReturnType<typeof openStoreHistory>>) => Promise<T>,
): Promise<T> {
  const past = await openStoreHistory(path);
  try {
    return await question(past);
  } finally {
    await past.close();
  }
}

async function all<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const row of rows) found.push(row);
  return found;
}

/** An upload of which one image is completed, one failed and one waits. */
async function uploadThree(store: Store) {
  const made = await upload(store, { images: ['a.jpg', 'b.jpg', 'c.jpg'].map((name) => newImage({ name })) });
  const ids = made.images.map(({ id }) => id) as [string, string, string];
  await store.settle(await takeNext(store), completed(ids[0], { degraded: true }));
  await store.settle(await takeNext(store), tornEnd);
  return { batch: made.id, ids };
}

describe('the history of a store', () => {
  it('shows a batch with its counts and bytes while the service runs', async () => {
    const store = await open();
    const { batch } = await uploadThree(store);
    expect(await ask((past) => past.batch(batch.slice(0, 6)))).toMatchObject({
      ...{
        id: batch,
        command: 'upload',
        state: 'running',
        inputs: ['ann'],
        out: 'shop',
        preset: PRESET.name,
      },
      counts: {
        pending: 1,
        processing: 0,
        retrying: 0,
        completed: 1,
        duplicate: 0,
        unchanged: 0,
        failed: 1,
        cancelled: 0,
      },
      ...{ startedAt: START, finishedAt: null, bytesIn: 1_000, bytesOut: 100, options: { preset: PRESET } },
    });
    await store.close();
  });

  it('shows a batch as interrupted while no service runs, and its images in work as waiting', async () => {
    const store = await open();
    const { batch } = await uploadThree(store);
    await takeNext(store);
    expect(await ask((past) => past.batch(batch))).toMatchObject({
      state: 'running',
      counts: { processing: 1 },
    });
    await store.close();
    expect(await ask((past) => past.batch(batch))).toMatchObject({
      ...{ state: 'interrupted', counts: { processing: 0, pending: 1 } },
    });
  });

  it('shows ended batches as finished, and as cancelled if an image was cancelled', async () => {
    const store = await open();
    const done = await upload(store);
    await store.settle(await takeNext(store), completed(done.first.id));
    now = START + 9;
    await store.endBatch(done.id);
    const stopped = await upload(store);
    await store.cancel('all', { batch: stopped.id });
    await store.close();
    expect(await ask((past) => past.batch(done.id))).toMatchObject({
      state: 'finished',
      finishedAt: START + 9,
    });
    expect(await ask((past) => past.batch(stopped.id))).toMatchObject({ state: 'cancelled' });
  });

  it('lists the newest batches first', async () => {
    const store = await open();
    const ids: string[] = [];
    for (let n = 0; n < 4; n++) {
      now = START + n * HOUR;
      ids.unshift((await upload(store)).id);
    }
    await store.close();
    expect((await ask((past) => past.batches(3))).map(({ id }) => id)).toEqual(ids.slice(0, 3));
  });

  it('lists the images of a batch state by state', async () => {
    const store = await open();
    const { batch, ids } = await uploadThree(store);
    await store.close();
    const jobs = await ask((past) => all(past.jobs(batch, ['failed', 'completed', 'unchanged'])));
    expect(jobs).toMatchObject([
      {
        source: `${ids[1]}/b.jpg`,
        state: 'failed',
        attempts: 1,
        error: TORN,
        finishedAt: START,
        outputs: [],
      },
      {
        ...{
          source: `${ids[0]}/a.jpg`,
          state: 'completed',
          bytes: 1_000,
          width: 400,
          height: 300,
          format: 'jpeg',
        },
        ...{ degraded: true, ms: MS, outputs: [{ variant: 'small', path: output(ids[0]).key, bytes: 100 }] },
      },
    ]);
    expect(await ask((past) => past.degraded(batch))).toEqual([expect.stringMatching(/\/a\.jpg$/)]);
  });

  it('lists more images than one step reads', async () => {
    const store = await open();
    const { id } = await upload(store, { images: Array.from({ length: 1_201 }, () => newImage()) });
    await store.close();
    const jobs = await ask((past) => all(past.jobs(id, ['pending'])));
    expect(new Set(jobs.map(({ source }) => source)).size).toBe(1_201);
  });

  it('knows no batch by a wrong id, and none by the first digits of two', async () => {
    const store = await open();
    await upload(store, { id: 'aa11-1' });
    await upload(store, { id: 'aa11-2' });
    await store.close();
    for (const id of ['bb', '', "a'", 'aa11-3']) {
      await expect(ask((past) => past.batch(id))).rejects.toMatchObject({ code: 'unknown_batch' });
    }
    await expect(ask((past) => past.batch('aa'))).rejects.toMatchObject({
      message: expect.stringContaining('several batch ids begin like this (aa11-1, aa11-2)'),
    });
  });

  it('makes no file where there is none', async () => {
    expect(await ask((past) => past.batches(9))).toEqual([]);
    expect(existsSync(path)).toBe(false);
  });

  it('can be read where the file is write-protected', async () => {
    const store = await open();
    const { id } = await upload(store);
    await store.close();
    chmodSync(path, 0o444);
    expect(await ask((past) => past.batches(9))).toMatchObject([{ id }]);
  });
});
