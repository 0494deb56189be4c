import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { createWorkerPool } from '../../src/adapters/worker-pool.ts';
import { type Clock, systemClock } from '../../src/core/clock.ts';
import { type ErrorCode, ImgtoolError } from '../../src/errors.ts';
import type { Order, Variant } from '../../src/model.ts';
import type { Renderer } from '../../src/ports.ts';
import { cancelImages, removeImage } from '../../src/serve/remove.ts';
import { childrenOf, endless, workerPath } from '../adapters/children.ts';
import { makeClock } from '../core/made-up-clock.ts';
import { makePlace } from '../place.ts';
import { openServing, photo, presetOf, type Serving, unserved } from './serving.ts';

/** Real child processes, and what they were asked to render. `fail` may throw before an image is opened. */
function watchedPool(fail: (path: string) => void = () => {}) {
  const pool = createWorkerPool({ size: 2, workerPath });
  const rendered: Order[][] = [];
  const renderer: Renderer = {
    ...pool,
    async open(...asked) {
      fail(asked[0].path);
      const opened = await pool.open(...asked);
      return {
        ...opened,
        render(orders, progress) {
          rendered.push([...orders]);
          return opened.render(orders, progress);
        },
      };
    },
  };
  return { renderer, rendered };
}

/** Throws these errors, one in each call. */
function failing(...codes: ErrorCode[]): () => void {
  return () => {
    const code = codes.shift();
    if (code !== undefined) throw new ImgtoolError(code, `${code}, as asked`, { fix: 'wait' });
  };
}

const stagedFiles = ({ root }: Serving) => readdirSync(join(root, '.staged'));

describe('the same bytes', () => {
  it('are rendered once, and each image has outputs of its own', async () => {
    const { renderer, rendered } = watchedPool();
    const serving = await openServing({ renderer });
    const ids = await serving.upload([photo('wine.jpg'), photo('wine.jpg'), photo('wine.jpg')]);
    const worker = serving.start();
    await serving.event('batch.ended');
    expect(rendered).toHaveLength(1);
    const images = await Promise.all(ids.map((id) => serving.image(id)));
    expect(images.map(({ state }) => state).sort()).toEqual(['completed', 'duplicate', 'duplicate']);
    const first = images.find(({ state }) => state === 'completed')!;
    for (const copy of images.filter(({ state }) => state === 'duplicate')) {
      expect(copy).toMatchObject({
        duplicateOf: expect.toSatisfy((of: string) => ids.includes(of) && of !== copy.id),
        dominantColor: first.dominantColor,
        picture: first.picture,
      });
      expect(copy.outputs.map(({ checksum }) => checksum)).toEqual(
        first.outputs.map(({ checksum }) => checksum),
      );
    }
    expect(serving.files()).toEqual(images.flatMap(({ outputs }) => outputs.map(({ key }) => key)).sort());

    await removeImage({ ...serving.tools, worker }, 'all', first.id);
    const left = images.filter((image) => image !== first);
    expect(serving.files()).toEqual(left.flatMap(({ outputs }) => outputs.map(({ key }) => key)).sort());
  });

  it('are copied only within the images of one owner', async () => {
    const { renderer, rendered } = watchedPool();
    const serving = await openServing({ renderer });
    const [a = ''] = await serving.upload([photo('wine.jpg')], { owner: 'ann' });
    const [b = ''] = await serving.upload([photo('wine.jpg')], { owner: 'bob' });
    serving.start();
    for (const id of [a, b]) expect(await serving.ended(id)).toMatchObject({ state: 'completed' });
    expect(rendered).toHaveLength(2);
  });

  it('are rendered only for the variants that were not made before', async () => {
    const { renderer, rendered } = watchedPool();
    const serving = await openServing({ renderer });
    const [a = ''] = await serving.upload([photo('wine.jpg')], { preset: presetOf('web') });
    serving.start();
    await serving.ended(a);
    const [b = ''] = await serving.upload([photo('wine.jpg')], { preset: presetOf('archive') });
    expect(await serving.ended(b)).toMatchObject({ state: 'completed', outputs: 4 });
    expect(rendered.map((orders) => orders.map(({ variant }) => variant.name))).toEqual([
      ['thumbnail', 'medium', 'large'],
      ['original'],
    ]);
    const { outputs, duplicateOf } = await serving.image(b);
    expect([outputs.map(({ variant }) => variant), duplicateOf]).toEqual([
      ['thumbnail', 'medium', 'large', 'original'],
      null,
    ]);
  });

  it('wait for each other, and let other images go first', async () => {
    const { serving, begun } = await openEndless();
    await serving.upload(Array.from({ length: 20 }, () => photo('wine.jpg')));
    const [other = ''] = await serving.upload([photo('life.jpg')], { owner: 'bob' });
    // The worker must not need its next look after some seconds.
    const after: Clock['after'] = (ms, call) => (ms < 5_000 ? systemClock.after(ms, call) : () => {});
    const worker = serving.start({ ...systemClock, after });
    await begun();
    await serving.event('image.started', ({ id }) => id === other);
    expect(worker.busy()).toBe(21);
    expect(serving.events.filter(({ type }) => type === 'image.started')).toHaveLength(2);
  });

  it('are rendered with newer fields off, if an earlier version recorded their preset', async () => {
    const serving = await openServing();
    const { name, variants } = presetOf('web');
    const older = variants.map(({ crop, keep, copyright, artist, ...variant }) => variant as Variant);
    const [a = ''] = await serving.upload([photo('wine.jpg')], { preset: { name, variants: older } });
    const [b = ''] = await serving.upload([photo('wine.jpg')], { preset: { name, variants } });
    serving.start();
    expect(await serving.ended(a)).toMatchObject({ state: 'completed', outputs: 3 });
    expect(await serving.ended(b)).toMatchObject({ state: 'duplicate', outputs: 3 });
  });

  it('are rendered again where an earlier output is gone', async () => {
    const serving = await openServing();
    const [a = ''] = await serving.upload([photo('wine.jpg')]);
    serving.start();
    await serving.ended(a);
    const [gone] = (await serving.image(a)).outputs;
    await serving.objects.remove([gone!.key]);
    const [b = ''] = await serving.upload([photo('wine.jpg')]);
    expect(await serving.ended(b)).toMatchObject({ state: 'completed', outputs: 3 });
    expect((await serving.image(b)).outputs[0]).toMatchObject({ checksum: gone!.checksum });
  });
});

describe('an image that cannot be processed', () => {
  it('fails with code, message and fix, and its uploaded bytes stay for another try', async () => {
    const serving = await openServing();
    const whole = photo('wine.jpg');
    const [id = ''] = await serving.upload([whole.subarray(0, whole.length / 2)]);
    serving.start();
    const error = { code: 'corrupt', message: expect.any(String), fix: expect.any(String) };
    expect(await serving.ended(id)).toMatchObject({ state: 'failed', attempt: 1, outputs: 0, error });
    expect(await serving.image(id)).toMatchObject({ state: 'failed', error, outputs: [] });
    expect(serving.files()).toEqual([`staging/${id}`]);
    await serving.event('batch.ended');
  });

  it('does not stop the others', async () => {
    const serving = await openServing();
    const ids = await serving.upload([Buffer.from('no picture'), photo('wine.jpg')]);
    serving.start();
    const states = await Promise.all(ids.map(async (id) => (await serving.ended(id)).state));
    expect(states).toEqual(['failed', 'completed']);
  });

  it('is tried again after errors that may pass, later each time', async () => {
    const { renderer } = watchedPool(failing('io', 'worker_crashed'));
    const serving = await openServing({ renderer });
    const [id = ''] = await serving.upload([photo('wine.jpg')]);
    serving.start();
    expect(await serving.ended(id)).toMatchObject({ state: 'completed', attempt: 3 });
    const retries = serving.events.filter(({ type }) => type === 'image.retrying');
    expect(retries).toMatchObject([
      { attempt: 1, delay: 500, error: { code: 'io', fix: 'wait' } },
      { attempt: 2, delay: 1_000, error: { code: 'worker_crashed' } },
    ]);
  });

  it('fails after the third attempt', async () => {
    const { renderer } = watchedPool(failing('io', 'io', 'io', 'io'));
    const serving = await openServing({ renderer });
    const [id = ''] = await serving.upload([photo('wine.jpg')]);
    serving.start();
    expect(await serving.ended(id)).toMatchObject({ state: 'failed', attempt: 3, error: { code: 'io' } });
  });

  it('fails alone where the folder of its bucket cannot be written', async () => {
    const serving = await openServing();
    writeFileSync(join(serving.root, 'photos'), 'a file in the place of a folder');
    const [id = ''] = await serving.upload([photo('wine.jpg')]);
    const [other = ''] = await serving.upload([photo('life.jpg')], { bucket: 'others' });
    serving.start();
    expect(await serving.ended(id)).toMatchObject({ state: 'failed', error: { code: 'not_writable' } });
    expect(await serving.ended(other)).toMatchObject({ state: 'completed' });
    expect(serving.events).not.toContainEqual(expect.objectContaining({ type: 'paused' }));
    expect(serving.files()).toContain(`staging/${id}`);
  });

  it('has ended, also if nothing of it can be removed', async () => {
    const serving = await openServing();
    vi.spyOn(serving.objects, 'remove').mockRejectedValue(new ImgtoolError('io', 'as asked'));
    const [id = ''] = await serving.upload([Buffer.from('no picture')]);
    serving.start();
    expect(await serving.ended(id)).toMatchObject({ state: 'failed' });
    await serving.event('batch.ended');
    const message = '0.jpg: its unfinished outputs could not be removed: as asked';
    expect(serving.events).toContainEqual({ type: 'warning', message });
  });

  it('waits without losing an attempt while the disk is full', async () => {
    const { renderer } = watchedPool(failing('no_space'));
    const serving = await openServing({ renderer });
    const [id = ''] = await serving.upload([photo('wine.jpg')]);
    serving.start();
    expect(await serving.ended(id)).toMatchObject({ state: 'completed', attempt: 1 });
    expect(serving.events).toContainEqual(
      expect.objectContaining({
        type: 'paused',
        delay: 1_000,
        error: expect.objectContaining({ code: 'no_space' }),
      }),
    );
  });

  it('fails when its stored bytes are not those that were uploaded', async () => {
    const serving = await openServing();
    const [id = ''] = await serving.upload([photo('wine.jpg')]);
    const other = await serving.objects.stage(`staging/${id}`);
    writeFileSync(other.path, photo('life.jpg'));
    await serving.objects.commit([other]);
    serving.start();
    expect(await serving.ended(id)).toMatchObject({ state: 'failed', error: { code: 'source_changed' } });
    expect(serving.files()).toEqual([`staging/${id}`]);
  });

  it('fails when its uploaded bytes are gone', async () => {
    const serving = await openServing();
    const [id = ''] = await serving.upload([photo('wine.jpg')]);
    await serving.objects.remove([`staging/${id}`]);
    serving.start();
    expect(await serving.ended(id)).toMatchObject({ state: 'failed', error: { code: 'source_missing' } });
  });
});

/** A service whose children never finish an output, or never finish to read an upload. */
async function openEndless(held: '.staged' | 'staging' = '.staged') {
  const place = makePlace();
  const root = join(place, 'storage');
  const children = endless(place, join(root, held));
  const renderer = createWorkerPool({ size: 2, workerPath: children.workerPath });
  const serving = await openServing({ renderer }, root);
  return { ...children, serving, pids: () => childrenOf(process.pid, children.workerPath) };
}

describe('while an image is rendered', () => {
  it('a cancellation by another command ends its child, and keeps its uploaded bytes alone', async () => {
    const { serving, begun, pids } = await openEndless();
    const [id = ''] = await serving.upload([photo('wine.jpg')]);
    const worker = serving.start();
    await begun();
    expect(pids()).toHaveLength(1);
    const { job } = await serving.image(id);
    expect(await serving.store.cancel('all', { job })).toMatchObject([{ id }]);
    await serving.event('image.dropped');
    expect([stagedFiles(serving), serving.files()]).toEqual([[], [`staging/${id}`]]);
    await vi.waitFor(() => expect([pids(), worker.busy()]).toEqual([[], 0]));
    expect((await serving.image(id)).state).toBe('cancelled');
  });

  it('a deletion ends its child, and leaves no file', async () => {
    const { serving, begun, pids } = await openEndless();
    const [id = ''] = await serving.upload([photo('wine.jpg')]);
    const worker = serving.start();
    await begun();
    expect(await removeImage({ ...serving.tools, worker }, { owner: 'ann' }, id)).toBe(true);
    expect([pids(), serving.files(), worker.busy()]).toEqual([[], [], 0]);
    expect(await serving.store.image('all', id)).toBeUndefined();
    expect(await removeImage({ ...serving.tools, worker }, { owner: 'ann' }, id)).toBe(false);
  });

  it('a cancellation is reported once, for images in work and for those that wait', async () => {
    const { serving, begun } = await openEndless();
    const ids = await serving.upload(['wine.jpg', 'life.jpg', 'wine.jpg'].map(photo));
    const worker = serving.start();
    await begun();
    const { batch } = await serving.image(ids[0] ?? '');
    const context = { ...serving.tools, worker };
    expect(await cancelImages(context, { owner: 'bob' }, { batch })).toBeUndefined();
    expect(await cancelImages(context, 'all', { batch })).toBe(3);
    expect(await cancelImages(context, 'all', { batch })).toBe(0);
    const cancelled = serving.events.flatMap((one) => (one.type === 'image.cancelled' ? [one.id] : []));
    expect(cancelled.sort()).toEqual(ids.sort());
    expect(worker.busy()).toBe(0);
  });

  it('the deletion of an image that has not ended is reported as a cancellation too', async () => {
    const serving = await openServing();
    const [waiting = '', done = ''] = [
      ...(await serving.upload([photo('life.jpg')])),
      ...(await serving.upload([photo('wine.jpg')])),
    ];
    await removeImage(unserved(serving), 'all', waiting);
    serving.start();
    await serving.ended(done);
    await removeImage(unserved(serving), 'all', done);
    const reported = serving.events.flatMap((one) =>
      one.type === 'image.cancelled' || one.type === 'image.deleted' ? [[one.type, one.id]] : [],
    );
    expect(reported).toEqual([
      ['image.cancelled', waiting],
      ['image.deleted', waiting],
      ['image.deleted', done],
    ]);
  });

  it('the end of the service gives it back, and the attempt does not count', async () => {
    const { serving, begun } = await openEndless();
    const ids = await serving.upload([
      photo('wine.jpg'),
      photo('life.jpg'),
      photo('wine.jpg'),
      photo('umang.jpg'),
    ]);
    const worker = serving.start();
    await begun();
    await worker.stop(0);
    expect([worker.busy(), stagedFiles(serving)]).toEqual([0, []]);
    for (const id of ids) expect(await serving.image(id)).toMatchObject({ state: 'pending', attempts: 0 });
    expect(serving.files()).toEqual(ids.map((id) => `staging/${id}`).sort());
  });
});

describe('while a child reads an upload', () => {
  it('a deletion ends that child, and the next image gets its place', async () => {
    const { serving, begun, pids } = await openEndless('staging');
    const [id = ''] = await serving.upload([photo('wine.jpg')]);
    const worker = serving.start();
    await begun();
    expect(pids()).toHaveLength(1);
    expect(await removeImage({ ...serving.tools, worker }, 'all', id)).toBe(true);
    await vi.waitFor(() => expect([pids(), serving.files(), worker.busy()]).toEqual([[], [], 0]));
    const others = await serving.upload([photo('life.jpg'), photo('umang.jpg'), photo('wine.jpg')]);
    worker.wake();
    // Both places are free, and the third image waits.
    for (const other of others.slice(0, 2)) await serving.event('image.started', (one) => one.id === other);
    const attempts = await Promise.all(others.map(async (one) => (await serving.image(one)).attempts));
    expect(attempts).toEqual([1, 1, 0]);
  });
});

describe('the worker', () => {
  it('finishes what is being rendered when it is stopped, and gives back the rest', async () => {
    const { renderer } = watchedPool();
    const serving = await openServing({ renderer });
    const files = ['wine.jpg', 'life.jpg', 'umang.jpg', 'friends.jpg', 'sunset.jpg', 'seeding.jpg'].map(
      photo,
    );
    const ids = await serving.upload(files);
    const worker = serving.start();
    await serving.event('image.ended');
    await worker.stop(60_000);
    const images = await Promise.all(ids.map((id) => serving.image(id)));
    const ended = images.filter(({ state }) => state === 'completed');
    const waiting = images.filter(({ state, attempts }) => state === 'pending' && attempts === 0);
    expect(ended.length + waiting.length).toBe(6);
    expect(waiting.length).toBeGreaterThan(0);
    const keys = ended.flatMap(({ outputs }) => outputs.map(({ key }) => key));
    expect(serving.files()).toEqual([...keys, ...waiting.map(({ id }) => `staging/${id}`)].sort());
  });

  it('makes images wait again that an earlier process had in work', async () => {
    const serving = await openServing();
    const [id = ''] = await serving.upload([photo('wine.jpg')]);
    await serving.upload([photo('life.jpg')]);
    for (const claim of await serving.store.take('dead', 1)) await serving.store.begin(claim);
    const take = vi.spyOn(serving.store, 'take');
    serving.start();
    expect(await serving.event('recovered')).toMatchObject({ images: 1 });
    expect(await serving.ended(id)).toMatchObject({ state: 'completed', attempt: 2 });
    await serving.event('image.ended', (one) => one.id !== id);
    // If it had ended this process too, only it would have lost an attempt.
    expect(take.mock.calls.slice(0, 2).map(([, limit]) => limit)).toEqual([1, 4]);
  });

  it('begins, also if the outputs of an earlier process cannot be removed', async () => {
    const serving = await openServing();
    await serving.upload([photo('wine.jpg')]);
    for (const claim of await serving.store.take('dead', 1)) await serving.store.begin(claim);
    vi.spyOn(serving.objects, 'remove').mockRejectedValue(new ImgtoolError('not_writable', 'as asked'));
    serving.start();
    expect(await serving.event('image.ended')).toMatchObject({ state: 'completed', attempt: 2 });
  });

  it('asks the store seldom while nothing waits, and at once after a wake', async () => {
    const serving = await openServing();
    const take = vi.spyOn(serving.store, 'take');
    const lost = vi.spyOn(serving.store, 'lost');
    const clock = makeClock();
    const worker = serving.start(clock);
    await clock.advance(60_000);
    expect(take.mock.calls.length).toBeLessThanOrEqual(13);
    expect(lost).not.toHaveBeenCalled();
    const [id = ''] = await serving.upload([photo('wine.jpg')]);
    worker.wake();
    expect(await serving.ended(id)).toMatchObject({ state: 'completed' });
  });

  it('never has more images in work than it can begin soon', async () => {
    const serving = await openServing();
    const take = vi.spyOn(serving.store, 'take');
    const names = ['wine.jpg', 'life.jpg', 'umang.jpg', 'friends.jpg', 'sunset.jpg', 'seeding.jpg'];
    await serving.upload(names.map(photo));
    const worker = serving.start();
    await serving.event('image.started');
    expect(take.mock.calls[0]?.[1]).toBe(4);
    expect(worker.busy()).toBe(4);
    await serving.event('batch.ended');
    // The report of an image follows the removal of its upload, and another image may end the batch before.
    await expect.poll(() => serving.events.filter(({ type }) => type === 'image.ended')).toHaveLength(6);
  });

  it('kills what is being rendered when a second call leaves no time', async () => {
    const { serving, begun } = await openEndless();
    const [id = ''] = await serving.upload([photo('wine.jpg')]);
    const worker = serving.start();
    await begun();
    const stopped = worker.stop(600_000);
    await worker.stop(0);
    await stopped;
    expect(await serving.image(id)).toMatchObject({ state: 'pending', attempts: 0 });
    expect(serving.files()).toEqual([`staging/${id}`]);
  });

  it('records an image that is done as soon as the store can be written again', async () => {
    const serving = await openServing();
    const { settle } = serving.store;
    const broken = new ImgtoolError('index_unusable', 'as asked');
    vi.spyOn(serving.store, 'settle').mockRejectedValueOnce(broken).mockImplementation(settle);
    const [id = ''] = await serving.upload([photo('wine.jpg')]);
    serving.start();
    expect(await serving.ended(id)).toMatchObject({ state: 'completed', attempt: 1 });
    expect(await serving.event('paused')).toMatchObject({ error: { code: 'index_unusable' } });
    expect((await serving.image(id)).outputs).toHaveLength(3);
  });

  it('processes an image again that was cancelled and retried while it was rendered', async () => {
    const serving = await openServing();
    const [id = ''] = await serving.upload([photo('wine.jpg')]);
    const { job } = await serving.image(id);
    const worker = serving.start();
    await serving.event('image.started');
    await serving.store.cancel('all', { job });
    await serving.store.retry('all', { job });
    worker.wake();
    expect(await serving.ended(id)).toMatchObject({ state: 'completed' });
    const { outputs, state } = await serving.image(id);
    expect([state, serving.files()]).toEqual(['completed', outputs.map(({ key }) => key).sort()]);
  });
});
