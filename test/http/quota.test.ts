import { describe, expect, it } from 'vitest';
import { openSqliteStore } from '../../src/adapters/store/sqlite.ts';
import { PHOTO, postFiles, startService, tokenOf } from './service.ts';

const HOUR = 3_600_000;

describe('the limit of uploads', () => {
  it('lets exactly fifty of sixty uploads in that come at once', async () => {
    const { upload } = await startService();
    const answers = await Promise.all(Array.from({ length: 60 }, () => upload(PHOTO)));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 202)).toHaveLength(50);
    expect(statuses.filter((status) => status === 429)).toHaveLength(10);
    const left = answers
      .filter(({ status }) => status === 202)
      .map((one) => one.headers.get('x-ratelimit-remaining'));
    expect(new Set(left).size).toBe(50);
    for (const { status, headers } of answers) {
      expect(headers.get('x-ratelimit-limit')).toBe('50');
      expect(headers.get('x-ratelimit-reset')).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      if (status === 429) expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    }
  });

  it('counts files that are refused, and each image of a batch', async () => {
    const service = await startService({ uploads: { quota: { uploads: 5, window: HOUR } } });
    const refused = await service.upload(Buffer.from('text'));
    expect([refused.status, refused.headers.get('x-ratelimit-remaining')]).toEqual([415, '4']);
    const batch = await postFiles(service, '/upload', [PHOTO, PHOTO, Buffer.from('text')]);
    expect([batch.status, batch.headers.get('x-ratelimit-remaining')]).toEqual([202, '1']);
    const large = await postFiles(service, '/upload', [PHOTO, PHOTO]);
    expect([large.status, large.body.code, large.headers.get('x-ratelimit-remaining')]).toEqual([
      429,
      'rate_limited',
      '1',
    ]);
    expect(large.body.detail).toMatch(/^only 1 of these files are allowed until \S+Z: the limit is 5$/);
    expect(large.body.fix).toMatch(/^send at most 1 now, send it again then; /);
    expect((await service.upload(PHOTO)).status).toBe(202);
    expect(service.left()).toHaveLength(3);
  });

  it('refuses a request with more files than it ever lets in, and does not ask to come again', async () => {
    const service = await startService({ uploads: { quota: { uploads: 2, window: HOUR } } });
    const { status, headers, body } = await postFiles(service, '/upload', [PHOTO, PHOTO, PHOTO]);
    expect([status, body.code, headers.get('retry-after')]).toEqual([413, 'upload_too_large', null]);
    expect(body).toMatchObject({
      detail: 'the request has too many files',
      fix: 'send less in one request: up to 2 files',
    });
    expect(service.left()).toEqual([]);
  });

  it('is never exceeded by uploads that fail, bring several files or repeat a key, all at once', async () => {
    const service = await startService({ uploads: { quota: { uploads: 10, window: HOUR } } });
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) => {
        if (i % 4 === 0) return service.upload(Buffer.from('text'));
        if (i % 4 === 1) return postFiles(service, '/batch', [PHOTO, PHOTO]);
        const headers = i % 4 === 2 ? { 'idempotency-key': 'one' } : undefined;
        return service.upload(PHOTO, { ...(headers && { headers }), fields: { bucket: `photos-${i % 3}` } });
      }),
    );
    expect(answers.some(({ status }) => status === 429)).toBe(true);
    expect((await service.complete()).length).toBeLessThanOrEqual(10);
    expect((await service.upload(PHOTO)).status).toBe(429);
  });

  it('is not renewed by a clock that is set back', async () => {
    let now = Date.UTC(2026, 0, 1, 12, 30);
    const service = await startService({ now: () => now, uploads: { quota: { uploads: 1, window: HOUR } } });
    expect((await service.upload(PHOTO)).status).toBe(202);
    now -= 5 * HOUR;
    expect((await service.upload(PHOTO)).status).toBe(429);
  });

  it('is that of the owner, whatever address and bucket the client names', async () => {
    const { upload } = await startService({ uploads: { quota: { uploads: 1, window: HOUR } } });
    expect((await upload(PHOTO)).status).toBe(202);
    const again = await upload(PHOTO, {
      fields: { bucket: 'others' },
      headers: { 'x-forwarded-for': '1.2.3.4' },
    });
    expect(again.status).toBe(429);
    expect((await upload(PHOTO, { token: await tokenOf('bob') })).status).toBe(202);
  });

  it('is not known for repeated requests: their answer costs nothing', async () => {
    const { upload } = await startService({ uploads: { quota: { uploads: 1, window: HOUR } } });
    const headers = { 'idempotency-key': 'one' };
    const [first, second] = [await upload(PHOTO, { headers }), await upload(PHOTO, { headers })];
    expect([first.status, second.status, second.body]).toEqual([202, 202, first.body]);
  });

  it('holds after a restart, and ends with its window', async () => {
    let now = Date.UTC(2026, 0, 1, 12, 30);
    const quota = { uploads: 1, window: HOUR };
    const first = await startService({ now: () => now, uploads: { quota } });
    expect((await first.upload(PHOTO)).status).toBe(202);
    expect((await first.upload(PHOTO)).status).toBe(429);
    await first.close();
    const store = await openSqliteStore(`${first.root}/store.db`, { now: () => now });
    expect(await store.quota('ann', quota)).toMatchObject({ remaining: 0 });
    now += HOUR;
    expect(await store.quota('ann', quota)).toMatchObject({ remaining: 1 });
    await store.close();
  });

  it('is reset by the operator', async () => {
    const { upload, ask, http } = await startService({ uploads: { quota: { uploads: 1, window: HOUR } } });
    await upload(PHOTO);
    expect((await upload(PHOTO)).status).toBe(429);
    const reset = await ask('/owners/ann/reset', { method: 'POST', base: http.urls.admin! });
    expect(reset.status).toBe(204);
    expect((await upload(PHOTO)).status).toBe(202);
  });

  it('is nowhere where there are no tokens', async () => {
    const { upload } = await startService({ tokens: null, uploads: { quota: null } });
    const { status, headers } = await upload(PHOTO);
    expect([status, headers.get('x-ratelimit-limit')]).toEqual([202, null]);
  });
});

describe('a key of requests', () => {
  it('gives two requests at once one image and one answer', async () => {
    const service = await startService({ uploads: { quota: null } });
    for (let round = 0; round < 10; round++) {
      const headers = { 'idempotency-key': `round-${round}` };
      const [one, two] = await Promise.all([1, 2].map(() => service.upload(PHOTO, { headers })));
      expect([one?.status, two?.status]).toEqual([202, 202]);
      expect(one?.body).toEqual(two?.body);
    }
    expect(await service.complete()).toHaveLength(10);
    expect(service.left().filter((path) => path.startsWith('.staged'))).toEqual([]);
  });

  it.each([
    ['another file', Buffer.concat([PHOTO, Buffer.alloc(1)]), {}],
    ['another bucket', PHOTO, { bucket: 'others' }],
    ['other metadata', PHOTO, { metadata: '1' }],
    ['another preset', PHOTO, { preset: 'web' }],
  ])('that asks for %s is refused', async (_, file, fields) => {
    const service = await startService();
    const headers = { 'idempotency-key': 'one' };
    await service.upload(PHOTO, { headers });
    const { status, body } = await service.upload(file, { headers, fields: { bucket: 'photos', ...fields } });
    expect([status, body.code]).toEqual([422, 'key_reused']);
    expect(service.left()).toHaveLength(1);
  });

  it('must be short and plain', async () => {
    const { upload } = await startService();
    for (const key of ['x'.repeat(256), 'a b', '']) {
      const { status, body, headers } = await upload(PHOTO, { headers: { 'idempotency-key': key } });
      expect([status, body.code]).toEqual([422, 'invalid_request']);
      expect(body.fix).toContain('UUID');
      expect(headers.get('x-ratelimit-remaining')).toBe('50');
    }
  });
});
