import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { type ErrorCode, ImgtoolError } from '../../src/errors.ts';
import { watchedPool } from './pools.ts';
import { openServing, photo } from './serving.ts';

/** Throws these errors, one in each call. */
function failing(...codes: ErrorCode[]): () => void {
  return () => {
    const code = codes.shift();
    if (code !== undefined) throw new ImgtoolError(code, `${code}, as asked`, { fix: 'wait' });
  };
}

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

  it('waits without losing an attempt while the system has no file for the service', async () => {
    let left = 1;
    const cause = Object.assign(new Error('too many open files'), { code: 'EMFILE' });
    const { renderer } = watchedPool(() => {
      if (left-- > 0) throw new ImgtoolError('io', 'could not be written (EMFILE)', { cause });
    });
    const serving = await openServing({ renderer });
    const [id = ''] = await serving.upload([photo('wine.jpg')]);
    serving.start();
    expect(await serving.ended(id)).toMatchObject({ state: 'completed', attempt: 1 });
    expect(serving.events).toContainEqual(expect.objectContaining({ type: 'paused' }));
  });

  it('waits without losing an attempt while the whole storage is read-only', async () => {
    const { renderer } = watchedPool(failing('not_writable'));
    const serving = await openServing({ renderer });
    const [id = ''] = await serving.upload([photo('wine.jpg')]);
    const unusable = new ImgtoolError('storage_unusable', 'may not be written (EROFS)');
    vi.spyOn(serving.objects, 'stage').mockRejectedValueOnce(unusable);
    serving.start();
    expect(await serving.ended(id)).toMatchObject({ state: 'completed', attempt: 1 });
    expect(serving.events).toContainEqual(
      expect.objectContaining({ type: 'paused', error: expect.objectContaining({ code: unusable.code }) }),
    );
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
