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
  it('says what the operator of the service can do, and nothing that uploads cannot', async () => {
    const { id } = await upload(store, { images: [newImage()] });
    const error = {
      ...{ code: 'too_large', message: 'too many pixels' },
      fix: 'raise it with {{limitPixels 300M}}, or leave it out with {{exclude}}',
    };
    await store.settle(await takeNext(store), { state: 'failed', error, ms: null });
    await store.endBatch(id);
    const { stdout } = await place.run(['status', id]);
    expect(stdout.replace(/\s+/g, ' ')).toContain(
      'for the operator of the service: raise it with --limit-pixels 300M',
    );
    expect(stdout).not.toMatch(/--exclude|run the same command|imgtool resume/);
    const { jobs } = await place.status(id);
    expect(jobs[0]?.error?.fix).toBe('for the operator of the service: raise it with --limit-pixels 300M');
  });

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

  it('shows the images of an upload', async () => {
    const { id } = await uploadTwo();
    expect(await place.status(id, '--all')).toMatchObject({
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

  it('of an upload that waits for the service says how to go on', async () => {
    const { id } = await upload(store);
    await store.close();
    const { stdout } = await place.run(['status', id]);
    expect(stdout).toContain('interrupted');
    expect(stdout).toContain('Go on: imgtool serve');
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

describe('the last batch', () => {
  it('is never an upload, which a stranger may have sent a moment ago', async () => {
    putOld(place.at('photos/a.jpg'), await picture({ seed: 1 }));
    const { batch } = finishedOf(await place.process());
    const { first } = await upload(store);
    expect(await place.status('last')).toMatchObject({ batch: { id: batch } });
    for (const [verb, says] of [
      ['cancel', `Batch ${batch} had ended`],
      ['retry', `Batch ${batch} has no failed images.`],
      ['resume', `Batch ${batch} `],
    ] as const) {
      const { stdout, code } = await place.run([verb, 'last']);
      expect([verb, code, stdout]).toEqual([verb, 0, expect.stringContaining(says)]);
    }
    expect(await store.image('all', first.id)).toMatchObject({ state: 'pending' });
  });

  it.each(['status', 'cancel', 'retry', 'resume'])(
    'is none for %s where there are only uploads',
    async (verb) => {
      await upload(store);
      const { stderr, code } = await place.run([verb, 'last']);
      expect([code, stderr]).toEqual([2, expect.stringContaining('there are only batches of the service')]);
      expect(stderr).toContain('imgtool list');
    },
  );
});

describe('cancel', () => {
  it('ends an upload while the service runs, and says so once', async () => {
    const { id, first } = await upload(store);
    const claim = await takeNext(store);
    const { stdout, code } = await place.run(['cancel', id]);
    expect([code, stdout]).toEqual([0, expect.stringContaining(`Batch ${id} cancelled after 0 of 1.`)]);
    expect(stdout).toContain(`Go on: imgtool retry ${id}`);
    expect(await store.lost([claim])).toEqual([claim]);
    expect(await store.settle(claim, completed(first.id))).toBe('gone');
    expect((await place.run(['cancel', id])).stdout).toContain(`Batch ${id} had ended (cancelled)`);
  });

  it('of an unknown batch is refused when there are uploads too', async () => {
    await uploadTwo();
    const { stderr, code } = await place.run(['cancel', 'ffffff']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('no batch has this id')]);
  });
});

describe('retry', () => {
  it('makes the failed images of an upload wait again while the service runs', async () => {
    const { id, failed } = await uploadTwo();
    const { stdout, code } = await place.run(['retry', id.slice(0, 8)]);
    expect([code, stdout]).toEqual([
      0,
      expect.stringContaining(`1 image of batch ${id} will be processed again.`),
    ]);
    expect(await takeNext(store)).toMatchObject({ id: failed, attempt: 1 });
    expect((await place.run(['retry', id])).stdout).toContain(`Batch ${id} has no images to retry.`);
  });

  it('says who processes them while no service runs', async () => {
    const { id } = await uploadTwo();
    await store.close();
    const { stdout } = await place.run(['retry', id]);
    expect(stdout).toContain('Go on: imgtool serve');
  });

  it('refuses limits, which are those of the service', async () => {
    const { id } = await uploadTwo();
    const { stderr, code } = await place.run(['retry', id, '--limit-pixels', '400M']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('--limit-pixels: batch')]);
    expect(await store.take('worker', 1)).toEqual([]);
  });

  it('of a batch of the command line works as ever', async () => {
    await uploadTwo();
    putOld(place.at('photos/a.jpg'), await picture({ seed: 1 }));
    const { batch } = finishedOf(await place.process());
    const { stdout, code } = await place.run(['retry', batch]);
    expect([code, stdout]).toEqual([0, expect.stringContaining(`Batch ${batch} has no failed images.`)]);
  });
});

describe('resume', () => {
  it('leaves an upload to the service', async () => {
    const { id } = await uploadTwo();
    const { stderr, code } = await place.run(['resume', id]);
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining('start imgtool serve, which goes on with it'),
    ]);
  });
});

describe('the library', () => {
  it('shows and cancels uploads as the command line does', async () => {
    const { openEngine } = (await import(
      new URL('../../dist/index.js', import.meta.url).href
    )) as typeof import('../../src/index.ts');
    const ended = await uploadTwo();
    const { id } = await upload(store, { images: [newImage(), newImage()] });
    const engine = await openEngine({ cwd: place.cwd, index: place.index });
    try {
      expect((await engine.list()).map((batch) => batch.id)).toEqual([id, ended.id]);
      expect(await engine.status(id)).toMatchObject({
        batch: { id, counts: { pending: 2 } },
        jobs: [{ state: 'pending' }, { state: 'pending' }],
      });
      expect(await engine.cancel(id)).toMatchObject({ id, state: 'cancelled', counts: { cancelled: 2 } });
      expect(await engine.cancel(ended.id)).toMatchObject({ id: ended.id, state: 'finished' });
      await expect(engine.cancel('abc')).rejects.toMatchObject({ code: 'unknown_batch' });
    } finally {
      await engine.close();
    }
  });
});
