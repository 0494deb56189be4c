import { describe, expect, it } from 'vitest';
import { exchange } from './raw.ts';
import { PHOTO, postFiles, type Service, startService, tokenOf } from './service.ts';

/** An image that is completed. */
async function completed(
  service: Service,
): Promise<{ image_id: string; job_id: string; status_url: string }> {
  const { body } = await service.upload(PHOTO);
  await service.complete();
  return body;
}

describe('an upload', () => {
  it('wakes the worker, and is found by its job and its image', async () => {
    const { upload, ask, wakes, left } = await startService();
    const { status, body } = await upload(PHOTO);
    expect([status, wakes()]).toEqual([202, 1]);
    expect(left()).toEqual([`staging/${body.image_id}`]);
    const job = await ask(body.status_url);
    expect(job.body).toMatchObject({
      image_id: body.image_id,
      status: 'pending',
      completed_at: null,
      attempts: 0,
    });
  });

  it('has no result before its end: 409 with the time after which to ask again', async () => {
    const { upload, ask } = await startService();
    const { body } = await upload(PHOTO);
    for (const path of [`${body.status_url}/result`, `/api/v1/images/${body.image_id}`]) {
      const { status, headers, body: problem } = await ask(path);
      expect([status, problem.code, headers.get('retry-after')]).toEqual([409, 'not_ready', '1']);
    }
  });

  it('that failed says why: 422 with the code and the fix of the image', async () => {
    const { upload, ask, store, events } = await startService();
    const { body } = await upload(PHOTO);
    const [claim] = await store.take('test', 1);
    const error = { code: 'corrupt', message: 'cut off', fix: 'copy it again, or add {{lenient}}' };
    await store.settle(claim!, { state: 'failed', error, ms: null });
    const { status, body: problem } = await ask(`${body.status_url}/result`);
    expect([status, problem.code, problem.detail, problem.fix]).toEqual([
      422,
      'corrupt',
      'cut off',
      'copy it again; for the operator of the service: add --lenient',
    ]);
    const job = await ask(body.status_url);
    expect(job.body).toMatchObject({
      status: 'failed',
      error: 'cut off',
      error_code: 'corrupt',
      attempts: 1,
    });
    // The image has failed, and the request has not.
    const refused = { code: 'upload_too_large', message: 'too large' };
    const other = await upload(PHOTO);
    const [second] = await store.take('test', 1);
    await store.settle(second!, { state: 'failed', error: refused, ms: null });
    expect((await ask(`${other.body.status_url}/result`)).body.code).toBe('upload_too_large');
    expect(events.some(({ type }) => type === 'request.refused')).toBe(false);
  });

  it('takes the preset that it names, and the default of its route', async () => {
    const service = await startService();
    const one = await service.upload(PHOTO);
    const other = await service.upload(PHOTO, { fields: { bucket: 'photos', preset: 'compat' } });
    const batch = await postFiles(service, '/upload', [PHOTO]);
    await service.complete();
    const sizesOf = async (image: string) =>
      Object.keys((await service.ask(`/api/v1/images/${image}/all`)).body.urls).sort();
    expect(await sizesOf(one.body.image_id)).toEqual(['large', 'medium', 'original', 'thumbnail']);
    expect(await sizesOf(batch.body.images[0].image_id)).toEqual(['grayscale', 'standard', 'thumbnail']);
    const shared = ['large', 'medium', 'thumbnail'].flatMap((size) => [size, `${size}_jpeg`, `${size}_webp`]);
    expect(await sizesOf(other.body.image_id)).toEqual(shared.sort());
  });
});

describe('an image', () => {
  it('has one size, all sizes, and the bytes of a size', async () => {
    const service = await startService();
    const { image_id: id } = await completed(service);
    const { ask } = service;
    const one = await ask(`/api/v1/images/${id}?size=medium`);
    expect(one.body).toMatchObject({ image_id: id, size: 'medium', width: 40, height: 30, format: 'webp' });
    const all = await ask(`/api/v1/images/${id}`);
    expect(all.body.urls.medium).toBe(one.body.url);
    const direct = await ask(`/api/v1/images/${id}/direct?size=medium`);
    const stored = await ask(one.body.url);
    expect(direct.body).toEqual(stored.body);
    expect(direct.body).toHaveLength(one.body.size_bytes);
    expect(direct.headers.get('cache-control')).toMatch(/^private/);
    const unknown = await ask(`/api/v1/images/${id}?size=huge`);
    expect([unknown.status, unknown.body.fix]).toEqual([
      404,
      'use one of thumbnail, medium, large, original',
    ]);
  });

  it('is read in part, or not again', async () => {
    const service = await startService();
    const { image_id: id } = await completed(service);
    const path = `/api/v1/images/${id}/direct?size=large`;
    const whole = await service.ask(path);
    const part = await service.ask(path, { headers: { range: 'bytes=10-19' } });
    expect([part.status, part.body]).toEqual([206, whole.body.subarray(10, 20)]);
    expect(part.headers.get('content-range')).toBe(`bytes 10-19/${whole.body.length}`);
    const none = await service.ask(path, { headers: { range: `bytes=${whole.body.length}-` } });
    expect([none.status, none.headers.get('content-range')]).toEqual([416, `bytes */${whole.body.length}`]);
    const etag = whole.headers.get('etag')!;
    // `fetch` adds headers that ask for the bytes in any case.
    const lines = [`GET ${path} HTTP/1.1`, `Authorization: Bearer ${await tokenOf('ann')}`];
    const same = await exchange(service.url, [...lines, `If-None-Match: ${etag}`]);
    expect([same.status, same.body]).toEqual([304, '']);
    const head = await service.ask(path, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, `${whole.body.length}`]);
  });

  it.each([
    '..',
    '%00',
    'a%0Ab',
    '__proto__',
    'constructor',
    '%2e%2e%2flarge',
    'large%20',
    'ﬁle',
    'x'.repeat(10_000),
  ])('has no size that is called %j', async (size) => {
    const service = await startService();
    const { image_id: id } = await completed(service);
    for (const path of [`/api/v1/images/${id}`, `/api/v1/images/${id}/direct`]) {
      const { status, body } = await service.ask(`${path}?size=${size}`);
      expect(size.length > 200 ? 422 : 404).toBe(status);
      expect(JSON.stringify(body)).not.toContain(service.root);
    }
  });

  it('is one of a list, which says what is wrong with the others', async () => {
    const service = await startService();
    const { image_id: id } = await completed(service);
    const { body: waiting } = await service.upload(PHOTO);
    const ids = [waiting.image_id, id, 'nonsense'].join(',');
    const { body } = await service.ask(`/api/v1/images/batch?image_ids=${ids}&size=large`);
    expect(body.images).toMatchObject([
      { image_id: waiting.image_id, error: 'not_ready', state: 'pending' },
      { image_id: id, size: 'large' },
      { image_id: 'nonsense', error: 'not_found' },
    ]);
    const all = await service.ask(`/api/v1/images/batch?image_ids=${id}`);
    expect(Object.keys(all.body.images[0].urls)).toHaveLength(4);
    const many = await service.ask(`/api/v1/images/batch?image_ids=${Array(51).fill(id).join(',')}`);
    expect([many.status, many.body.code]).toEqual([400, 'bad_request']);
  });

  it('is deleted with all its objects, and is gone at once', async () => {
    const service = await startService();
    const { image_id: id, status_url: url } = await completed(service);
    expect((await service.ask(`/api/v1/images/${id}`, { method: 'DELETE' })).status).toBe(204);
    expect(service.dropped).toEqual([id]);
    expect(service.files().filter((path) => path.startsWith('photos/'))).toEqual([]);
    for (const path of [`/api/v1/images/${id}`, url, `/api/v1/images/${id}/direct`])
      expect((await service.ask(path)).status).toBe(404);
    expect((await service.ask(`/api/v1/images/${id}`, { method: 'DELETE' })).status).toBe(404);
  });
});

describe('a job', () => {
  it('is cancelled and tried again', async () => {
    const { upload, ask, dropped, wakes } = await startService();
    const { body } = await upload(PHOTO);
    const cancelled = await ask(`${body.status_url}/cancel`, { method: 'POST' });
    expect([cancelled.status, cancelled.body.images, dropped]).toEqual([202, 1, [body.image_id]]);
    const job = await ask(body.status_url);
    expect(job.body).toMatchObject({ status: 'failed', state: 'cancelled', error: 'cancelled' });
    expect((await ask(`${body.status_url}/result`)).status).toBe(422);
    const retried = await ask(`${body.status_url}/retry`, { method: 'POST' });
    expect([retried.status, retried.body.images, wakes()]).toEqual([202, 1, 2]);
    expect((await ask(body.status_url)).body.status).toBe('pending');
    const again = await ask(`${body.status_url}/retry`, { method: 'POST' });
    expect([again.status, again.body.images]).toEqual([202, 0]);
  });
});
