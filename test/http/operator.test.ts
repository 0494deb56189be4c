import { describe, expect, it, vi } from 'vitest';
import { ImgtoolError } from '../../src/errors.ts';
import { BUCKET, begin } from './begin.ts';
import { LAST_PART, part } from './raw.ts';
import { PHOTO, postFiles, startService, tokenOf } from './service.ts';

describe('the operator', () => {
  it('sees figures and failures of all owners, with the scope admin or at the address of the operator', async () => {
    const { upload, ask, store, http, complete } = await startService();
    await upload(PHOTO);
    await complete();
    const { body: sent } = await upload(PHOTO, { token: await tokenOf('bob'), name: 'broken.jpg' });
    const [claim] = await store.take('test', 1);
    expect(claim?.id).toBe(sent.image_id);
    const error = { code: 'corrupt', message: 'cut off' };
    await store.settle(claim!, { state: 'failed', error, ms: null });
    await upload(PHOTO);
    const admin = await tokenOf('operator', 'admin');
    for (const asked of [{ base: http.urls.admin!, token: '' }, { token: admin }]) {
      const { body: stats } = await ask('/api/v1/health/stats', asked);
      expect(stats.status_breakdown).toEqual({ completed: 1, pending: 1, processing: 0, failed: 1 });
      // As in the documents, an image is one that has outputs.
      expect(stats.storage).toEqual({ total_images: 1, total_jobs: 3 });
      const { body } = await ask('/api/v1/health/failed?limit=5', asked);
      expect(body.failed).toMatchObject([
        {
          image_name: 'broken.jpg',
          bucket: 'photos',
          owner: 'bob',
          batch_id: claim?.batch,
          error_code: 'corrupt',
        },
      ]);
      expect((await ask('/api/v1/health/failed?limit=0', asked)).status).toBe(422);
    }
    for (const path of ['/api/v1/health/stats', '/api/v1/health/failed']) {
      expect((await ask(path)).status).toBe(403);
      expect((await ask(path, { token: '' })).status).toBe(401);
    }
  });

  it('cancels and retries images of all owners', async () => {
    const { upload, ask, http } = await startService();
    const { body } = await upload(PHOTO);
    const asked = { method: 'POST', base: http.urls.admin!, token: '' };
    const { body: cancelled } = await ask(`${body.status_url}/cancel`, asked);
    expect(cancelled.images).toBe(1);
    const shown = await ask(cancelled.status_url, { ...asked, method: 'GET' });
    expect(shown.body.state).toBe('cancelled');
    expect((await ask(`${body.status_url}/retry`, asked)).body.images).toBe(1);
    const batch = (await postFiles({ ask }, '/upload', [PHOTO])).body.status_url.replace('status', 'cancel');
    const { body: ended } = await ask(batch, asked);
    expect((await ask(ended.status_url, { ...asked, method: 'GET' })).body.status).toBe('failed');
  });

  it('needs a token where strangers reach the address of the operator', async () => {
    const { ask, http } = await startService({ isAdminOpen: false });
    const base = http.urls.admin!;
    expect((await ask('/metrics', { base, token: '' })).status).toBe(401);
    expect((await ask('/metrics', { base })).status).toBe(403);
    expect((await ask('/metrics', { base, token: await tokenOf('x', 'admin') })).status).toBe(200);
  });
});

describe('the metrics', () => {
  it('count by route, state and code, and never by owner, bucket or id', async () => {
    const { upload, ask, complete, http, url } = await startService();
    const { body } = await upload(PHOTO, { fields: { bucket: 'secret-bucket' } });
    await upload(Buffer.from('text'));
    await postFiles({ ask }, '/upload', [Buffer.from('text')]);
    await complete();
    await ask(`/api/v1/images/${body.image_id}`);
    await ask('/nowhere/at/all');
    const text = (await ask('/metrics', { base: http.urls.admin! })).body.toString() as string;
    expect(text).toContain('imgtool_images{state="completed"} 1');
    expect(text).toContain('imgtool_images_accepted_total 1');
    expect(text).toContain('imgtool_uploads_refused_total{code="not_an_image"} 2');
    expect(text).toMatch(/imgtool_http_request_seconds_count\{.*route="\/api\/v1\/images\/:image_id".*\} 1/);
    expect(text).toMatch(/imgtool_http_request_seconds_count\{.*route="unknown".*status="404".*\} 1/);
    for (const secret of [body.image_id, 'secret-bucket', 'ann', 'nowhere'])
      expect(text).not.toContain(secret);
    expect((await fetch(`${url}/metrics`)).status).toBe(404);
  });

  it('count images that were cancelled, or deleted before their end, among those that ended', async () => {
    const { upload, ask, http } = await startService();
    const one = (await upload(PHOTO)).body;
    const other = (await upload(PHOTO)).body;
    await ask(`${one.status_url}/cancel`, { method: 'POST' });
    await ask(`/api/v1/images/${other.image_id}`, { method: 'DELETE' });
    const text = (await ask('/metrics', { base: http.urls.admin! })).body.toString() as string;
    expect(text).toContain('imgtool_images_accepted_total 2');
    expect(text).toContain('imgtool_images_ended_total{state="cancelled"} 2');
  });

  it('have no names that the linter of Prometheus refuses', async () => {
    const { ask, http } = await startService();
    const text = (await ask('/metrics', { base: http.urls.admin! })).body.toString() as string;
    const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)];
    expect(types.length).toBeGreaterThan(10);
    for (const [, name = '', type] of types)
      expect([name, name.endsWith('_total')]).toEqual([name, type === 'counter']);
  });
});

describe('the health of the service', () => {
  it('is for everybody', async () => {
    const { ask } = await startService();
    for (const path of ['/livez', '/readyz', '/api/v1/health']) {
      const { status, body } = await ask(path, { token: '' });
      expect([status, body]).toEqual([200, { status: 'ok', service: 'imgtool', version: '1.2.3' }]);
    }
  });

  it('is not ready without its store, and says no more about it', async () => {
    const { ask, store } = await startService();
    await store.close();
    const { status, body } = await ask('/readyz', { token: '' });
    expect(status).toBeGreaterThanOrEqual(500);
    expect(body.detail).not.toContain('/');
    expect((await ask('/livez', { token: '' })).status).toBe(200);
  });

  it('is not ready while the storage is gone, and ready once it is back', async () => {
    const { ask, objects } = await startService();
    const gone = new ImgtoolError('storage_unusable', 'as asked');
    const locate = vi.spyOn(objects, 'locate').mockRejectedValue(gone);
    for (const path of ['/readyz', '/api/v1/health']) expect((await ask(path)).status).toBe(503);
    expect((await ask('/livez')).status).toBe(200);
    locate.mockRestore();
    expect((await ask('/readyz')).status).toBe(200);
  });

  it('is not ready while it stops: uploads are refused, and those in work end', async () => {
    const service = await startService();
    const body = Buffer.concat([BUCKET, part('file', PHOTO, 'a.jpg'), LAST_PART]);
    const { socket, received } = await begin(service, [`Content-Length: ${body.length}`]);
    socket.write(body.subarray(0, 3_000));
    await expect.poll(() => service.left()).toHaveLength(1);
    let isDrained = false;
    const draining = service.http.drain(10_000).then(() => {
      isDrained = true;
    });
    expect((await service.ask('/readyz')).status).toBe(503);
    expect((await service.upload(PHOTO)).status).toBe(503);
    expect((await service.ask('/livez')).status).toBe(200);
    expect(isDrained).toBe(false);
    socket.write(body.subarray(3_000));
    await received(/^HTTP\/1\.1 202 /);
    socket.destroy();
    await draining;
  });
});
