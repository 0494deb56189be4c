import { describe, expect, it } from 'vitest';
import { BUCKET, begin } from './begin.ts';
import { LAST_PART, part } from './raw.ts';
import { PHOTO, startService } from './service.ts';

const UPLOAD = '/api/v1/images/upload';

describe('the service', () => {
  it('asks a client that waits for leave to send the body, once it is welcome', async () => {
    const service = await startService();
    const body = Buffer.concat([BUCKET, part('file', PHOTO, 'a.jpg'), LAST_PART]);
    const { socket, received } = await begin(service, [
      `Content-Length: ${body.length}`,
      'Expect: 100-continue',
    ]);
    await received(/^HTTP\/1\.1 100 Continue\r\n/);
    socket.write(body);
    await received(/HTTP\/1\.1 202 /);
    socket.destroy();
  });

  it('takes no more uploads at once than its limit', async () => {
    const service = await startService({ limits: { uploads: 2 } });
    const open = await Promise.all([1, 2].map(() => begin(service, ['Content-Length: 100000'])));
    for (const { socket } of open) socket.write(part('file', PHOTO, 'a.jpg').subarray(0, 3_000));
    await expect.poll(() => service.left()).toHaveLength(2);
    const { status, body, headers } = await service.upload(PHOTO);
    expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'unavailable', '2']);
    for (const { socket } of open) socket.destroy();
    await expect.poll(async () => (await service.upload(PHOTO)).status).toBe(202);
  });

  it('refuses uploads while the queue is full', async () => {
    const { upload } = await startService({ uploads: { maxQueue: 1 } });
    expect((await upload(PHOTO)).status).toBe(202);
    expect((await upload(PHOTO)).status).toBe(503);
  });

  it('refuses uploads while little space is left, before their body', async () => {
    const { ask, upload, objects } = await startService();
    objects.space = async () => ({ free: 900_000_000, total: 10_000_000_000 });
    const small = await upload(PHOTO);
    objects.space = async () => ({ free: 40_000_000_000, total: 1_000_000_000_000 });
    const large = await upload(PHOTO);
    for (const { status, body, headers } of [small, large])
      expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'no_space', '60']);
    expect((await ask('/readyz')).status).toBe(200);
  });

  it('wants a multipart body', async () => {
    const { ask } = await startService();
    for (const type of ['application/json', 'application/x-www-form-urlencoded', 'text/plain']) {
      const headers = { 'content-type': type };
      const { status, body, headers: answered } = await ask(UPLOAD, { method: 'POST', body: '{}', headers });
      expect([status, body.code]).toEqual([415, 'unsupported_media_type']);
      expect(answered.get('x-ratelimit-remaining')).toBe('50');
    }
  });

  it('takes requests without a body whatever type they name', async () => {
    const service = await startService();
    const { body } = await service.upload(PHOTO);
    for (const type of ['application/json', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
      const headers = { 'content-type': type };
      for (const verb of ['cancel', 'retry']) {
        const { status } = await service.ask(`${body.status_url}/${verb}`, { method: 'POST', headers });
        expect({ type, verb, status }).toEqual({ type, verb, status: 202 });
      }
    }
    const headers = { 'content-type': 'application/json' };
    const path = `/api/v1/images/${body.image_id}`;
    expect((await service.ask(path, { method: 'DELETE', headers })).status).toBe(204);
  });
});
