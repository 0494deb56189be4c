import { describe, expect, it } from 'vitest';
import { exchange } from './raw.ts';
import { PHOTO, postFiles, startService, tokenOf } from './service.ts';

const UNKNOWN = '11111111-2222-4333-8444-555555555555';

describe('images of another owner', () => {
  it('are answered byte for byte like images that do not exist', async () => {
    const service = await startService();
    const { body } = await service.upload(PHOTO);
    const { body: batch } = await postFiles(service, '/upload', [PHOTO]);
    await service.complete();
    const bob = await tokenOf('bob');
    const answerTo = async (method: string, path: string) => {
      const lines = [`${method} ${path} HTTP/1.1`, `Authorization: Bearer ${bob}`, 'Content-Length: 0'];
      const { status, head, body } = await exchange(service.url, lines);
      return { status, body, head: head.replace(/^date: .*$/m, '') };
    };
    const routes: readonly (readonly [method: string, path: string, id: string])[] = [
      ['GET', `/api/v1/images/jobs/{id}`, body.job_id],
      ['GET', `/api/v1/images/jobs/{id}/result`, body.job_id],
      ['POST', `/api/v1/images/jobs/{id}/cancel`, body.job_id],
      ['POST', `/api/v1/images/jobs/{id}/retry`, body.job_id],
      ['GET', `/api/v1/images/{id}`, body.image_id],
      ['GET', `/api/v1/images/{id}?size=large`, body.image_id],
      ['GET', `/api/v1/images/{id}/all`, body.image_id],
      ['GET', `/api/v1/images/{id}/direct?size=large`, body.image_id],
      ['DELETE', `/api/v1/images/{id}`, body.image_id],
      ['GET', `/batch/{id}`, batch.batch_id],
      ['GET', `/batch/{id}/status`, batch.batch_id],
      ['GET', `/batch/{id}/images`, batch.batch_id],
      ['POST', `/batch/{id}/cancel`, batch.batch_id],
      ['POST', `/batch/{id}/retry`, batch.batch_id],
    ];
    for (const [method, path, id] of routes) {
      const foreign = await answerTo(method, path.replace('{id}', id));
      expect({ path, status: foreign.status }).toEqual({ path, status: 404 });
      for (const none of [UNKNOWN, 'nonsense', '%00', 'x'.repeat(400)])
        expect(await answerTo(method, path.replace('{id}', none))).toEqual(foreign);
    }
    const list = await service.ask(`/api/v1/images/batch?image_ids=${body.image_id}`, { token: bob });
    expect(list.body.images).toEqual([{ image_id: body.image_id, error: 'not_found' }]);
    expect((await service.ask(`/api/v1/images/${body.image_id}`)).status).toBe(200);
  });

  it('do not lend their keys of requests', async () => {
    const { upload } = await startService();
    const headers = { 'idempotency-key': 'one' };
    const ann = await upload(PHOTO, { headers });
    const bob = await upload(PHOTO, { headers, token: await tokenOf('bob') });
    expect([ann.status, bob.status]).toEqual([202, 202]);
    expect(bob.body.image_id).not.toBe(ann.body.image_id);
  });

  it('are not found by /storage/ where outputs are private', async () => {
    const service = await startService({ isPrivate: true });
    const { body } = await service.upload(PHOTO);
    await service.complete();
    const { urls } = (await service.ask(`/api/v1/images/${body.image_id}/all`)).body;
    const own = await service.ask(urls.large);
    expect([own.status, own.headers.get('cache-control')]).toEqual([
      200,
      'private, max-age=31536000, immutable',
    ]);
    expect((await service.ask(urls.large, { token: await tokenOf('bob') })).status).toBe(404);
    expect((await service.ask(urls.large, { token: '' })).status).toBe(401);
  });
});
