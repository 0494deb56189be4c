import { describe, expect, it } from 'vitest';
import { PHOTO, postFiles, startService } from './service.ts';

describe('a batch', () => {
  it('has one document at two addresses, from its start to its end', async () => {
    const service = await startService();
    const { status, body } = await postFiles(service, '/batch', [PHOTO, PHOTO, PHOTO]);
    expect(status).toBe(202);
    expect(body).toMatchObject({ status_url: `/batch/${body.batch_id}/status` });
    expect(body.images).toMatchObject(
      [1, 2, 3].map((i) => ({ image_name: `photo-${i}.jpg`, state: 'pending', error: null })),
    );
    const before = await service.ask(`/batch/${body.batch_id}`);
    expect(before.body).toMatchObject({
      status: 'pending',
      total: 3,
      pending: 3,
      progress: 0,
      completed_at: null,
    });
    expect(before.body.bucket).toBe('default');
    await service.store.take('test', 1);
    const during = await service.ask(`/batch/${body.batch_id}/status`);
    expect(during.body).toMatchObject({
      status: 'processing',
      pending: 3,
      counts: { processing: 1, pending: 2 },
    });
    await service.complete();
    const after = await service.ask(body.status_url);
    expect(after.body).toMatchObject({
      status: 'processing',
      completed: 2,
      progress: 0.6667,
      processed_images: 2,
    });
  });

  it('shows its images page by page, in the order of their upload', async () => {
    const service = await startService();
    const { body } = await postFiles(service, '/upload', [PHOTO, PHOTO, PHOTO, PHOTO, PHOTO]);
    const seen: string[] = [];
    let after = '';
    for (let pages = 0; pages < 3; pages++) {
      const { body: page } = await service.ask(`/batch/${body.batch_id}/images?limit=2${after}`);
      seen.push(...page.images.map((image: { image_name: string }) => image.image_name));
      after = `&after=${page.next}`;
      expect(page.next === null).toBe(pages === 2);
    }
    expect(seen).toEqual([1, 2, 3, 4, 5].map((i) => `photo-${i}.jpg`));
    for (const query of ['limit=0', 'limit=501', 'limit=x', 'after=x']) {
      const { status, body: problem } = await service.ask(`/batch/${body.batch_id}/images?${query}`);
      expect([query, status, problem.code]).toEqual([query, 422, 'invalid_request']);
    }
  });

  it('says that a page begins after an image that is gone, and does not begin anew', async () => {
    const service = await startService();
    const { body } = await postFiles(service, '/upload', [PHOTO, PHOTO, PHOTO]);
    const { body: page } = await service.ask(`/batch/${body.batch_id}/images?limit=2`);
    expect((await service.ask(`/api/v1/images/${page.next}`, { method: 'DELETE' })).status).toBe(204);
    const next = await service.ask(`/batch/${body.batch_id}/images?after=${page.next}`);
    expect([next.status, next.body.code, next.body.fix]).toEqual([
      422,
      'invalid_request',
      'ask for the first page again, without after',
    ]);
  });

  it('is cancelled and tried again as a whole', async () => {
    const service = await startService();
    const { body } = await postFiles(service, '/upload', [PHOTO, PHOTO]);
    const cancelled = await service.ask(`/batch/${body.batch_id}/cancel`, { method: 'POST' });
    expect([cancelled.status, cancelled.body.images]).toEqual([202, 2]);
    const { body: batch } = await service.ask(body.status_url);
    expect(batch).toMatchObject({ status: 'failed', failed: 2, counts: { cancelled: 2 } });
    expect((await service.ask(`/batch/${body.batch_id}/retry`, { method: 'POST' })).body.images).toBe(2);
    expect((await service.ask(body.status_url)).body).toMatchObject({
      status: 'pending',
      completed_at: null,
    });
  });

  it('of files that are all refused has failed, and the request succeeds', async () => {
    const service = await startService();
    const { status, body } = await postFiles(service, '/upload', [Buffer.from('text')]);
    expect(status).toBe(202);
    expect(body.images).toMatchObject([{ state: 'failed', error: expect.stringContaining('not an image') }]);
    const { body: batch } = await service.ask(body.status_url);
    expect(batch).toMatchObject({ status: 'failed', failed: 1, progress: 1 });
    expect(batch.completed_at).not.toBe(null);
  });
});
