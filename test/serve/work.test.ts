import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { ImgtoolError } from '../../src/errors.ts';
import { cancelImages, removeImage } from '../../src/serve/remove.ts';
import { makeClock } from '../core/made-up-clock.ts';
import { openEndless, watchedPool } from './pools.ts';
import { openServing, photo, type Serving, unserved } from './serving.ts';

const stagedFiles = ({ root }: Serving) => readdirSync(join(root, '.staged'));

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
