import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ImgtoolError } from '../../src/errors.ts';
import { begin } from './begin.ts';
import { LAST_PART, part } from './raw.ts';
import { formOf, PHOTO, postFiles, startService } from './service.ts';

describe('a file', () => {
  it('of the largest size is accepted, and of a byte more it is not', async () => {
    const service = await startService({ uploads: { maxUpload: 50_000 } });
    const file = Buffer.concat([PHOTO, Buffer.alloc(50_000 - PHOTO.length)]);
    expect((await service.upload(file)).status).toBe(202);
    const more = await service.upload(Buffer.concat([file, Buffer.alloc(1)]));
    expect([more.status, more.body.code]).toEqual([413, 'upload_too_large']);
    expect(service.left()).toHaveLength(1);
  });

  it.each([
    ['nothing', Buffer.alloc(0), 'not_an_image'],
    ['text', Buffer.from('hello, world'), 'not_an_image'],
    ['HTML', Buffer.from('<!doctype html><script>alert(1)</script>'), 'not_an_image'],
    ['SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), 'unsupported_format'],
    ['GIF, which is not accepted', Buffer.from('GIF89a\x01\0\x01\0\0\0\0;', 'latin1'), 'unsupported_format'],
    ['much text', Buffer.alloc(900_000, 'x'), 'not_an_image'],
  ])('that is %s is 415 by its bytes, whatever it is called', async (_, file, code) => {
    const service = await startService();
    const { status, body } = await service.upload(file);
    expect([status, body.code]).toEqual([415, code]);
    expect(service.left()).toEqual([]);
  });

  it.each([
    ['that is empty', [Buffer.alloc(0)], 'upload it again'],
    ['beside another', [PHOTO, PHOTO], 'send several files to /upload instead'],
  ])('%s is refused with a fix for clients', async (_, files, fix) => {
    const service = await startService();
    const { body } = await postFiles(service, '/api/v1/images/upload', files, { bucket: 'photos' });
    expect(body.fix).toBe(fix);
  });

  it('is recognised by its bytes, whatever type the client gives it', async () => {
    const { ask } = await startService();
    const form = formOf([], { bucket: 'photos' });
    form.append('file', new Blob([new Uint8Array(PHOTO)], { type: 'text/html' }), 'page.html');
    expect((await ask('/api/v1/images/upload', { method: 'POST', body: form })).status).toBe(202);
  });

  it('that is refused in a batch is a failed image, and the others are accepted', async () => {
    const service = await startService({ uploads: { maxUpload: 50_000 } });
    const files = [PHOTO, Buffer.from('text'), Buffer.concat([PHOTO, Buffer.alloc(60_000)]), PHOTO];
    const { status, body } = await postFiles(service, '/upload', files);
    expect(status).toBe(202);
    await service.complete();
    const { body: batch } = await service.ask(body.status_url);
    expect(batch).toMatchObject({
      status: 'completed',
      total: 4,
      completed: 2,
      failed: 2,
      pending: 0,
      progress: 1,
    });
    const { images } = (await service.ask(`/batch/${body.batch_id}/images`)).body;
    expect(images.map((image: { status: string }) => image.status)).toEqual([
      'completed',
      'failed',
      'failed',
      'completed',
    ]);
    const job = await service.ask(`/api/v1/images/jobs/${body.images[1].job_id}`);
    expect(job.body.error_code).toBe('not_an_image');
    const large = await service.ask(`/api/v1/images/jobs/${body.images[2].job_id}`);
    expect(large.body.error_code).toBe('upload_too_large');
  });

  it('that the scanner refuses is 422, and leaves nothing; a scanner that fails is 503', async () => {
    const scanner = (exit: number) => ({ scan: ['sh', '-c', `test -s "$0" && exit ${exit}`] });
    const good = await startService({ uploads: scanner(0) });
    expect((await good.upload(PHOTO)).status).toBe(202);
    const refusing = await startService({ uploads: scanner(1) });
    const refused = await refusing.upload(PHOTO);
    expect([refused.status, refused.body.code, refusing.left()]).toEqual([422, 'scan_refused', []]);
    const failing = await startService({ uploads: scanner(2) });
    const failed = await failing.upload(PHOTO);
    expect([failed.status, failed.body.code, failing.left()]).toEqual([503, 'unavailable', []]);
    const warnings = failing.events.filter(({ type }) => type === 'warning');
    expect(warnings).toMatchObject([
      { message: expect.stringMatching(/could not be scanned: Command failed/) },
    ]);
    const missing = await startService({ uploads: { scan: ['/no/such/scanner'] } });
    expect((await missing.upload(PHOTO)).status).toBe(503);
  });

  it('that cannot be written is 503: the answer has no path, and the log says why', async () => {
    const service = await startService();
    const { stage } = service.objects;
    service.objects.stage = async () => {
      throw new ImgtoolError('not_writable', '/data: a link is in the place of a folder');
    };
    const refused = await service.upload(PHOTO);
    service.objects.stage = async (key) => ({ ...(await stage(key)), path: '/data/none/x.tmp' });
    const missing = await service.upload(PHOTO);
    for (const { status, body } of [refused, missing]) {
      expect(status).toBe(503);
      expect(body.detail).not.toContain('/data');
    }
    expect([refused.body.code, missing.body.code]).toEqual(['not_writable', 'io']);
    expect(service.events.filter(({ type }) => type === 'warning')).toMatchObject([
      { message: 'not_writable: /data: a link is in the place of a folder' },
      { message: expect.stringMatching(/^io: .*ENOENT/) },
    ]);
  });

  it('that the scanner refuses in a batch is a failed image, and the others are accepted', async () => {
    const scan = ['sh', '-c', 'test $(wc -c < "$0") -lt 50000'];
    const service = await startService({ uploads: { scan } });
    const files = [PHOTO, Buffer.concat([PHOTO, Buffer.alloc(60_000)]), PHOTO];
    const { status, body } = await postFiles(service, '/upload', files);
    expect(status).toBe(202);
    expect(await service.complete()).toHaveLength(2);
    const job = await service.ask(`/api/v1/images/jobs/${body.images[1].job_id}`);
    expect(job.body.error_code).toBe('scan_refused');
  });

  it('is scanned once all files have arrived: a scan takes no time from the client', async () => {
    const scan = ['sh', '-c', 'echo "$0" >> "$(dirname "$0")/../../log"'];
    const service = await startService({ uploads: { scan } });
    const log = join(service.root, 'log');
    const body = Buffer.concat([part('file', PHOTO, 'a.jpg'), part('file', PHOTO, 'b.jpg'), LAST_PART]);
    const { socket, received } = await begin(service, [`Content-Length: ${body.length}`], {
      path: '/upload',
    });
    socket.write(body.subarray(0, PHOTO.length + 3_000));
    await expect.poll(() => service.left()).toHaveLength(2);
    expect(existsSync(log)).toBe(false);
    socket.write(body.subarray(PHOTO.length + 3_000));
    await received(/^HTTP\/1\.1 202 /);
    socket.destroy();
    expect(readFileSync(log, 'utf8').match(/\n/g)).toHaveLength(2);
  });

  it('is 503 when the scanner needs too long, and the scanner is ended', async () => {
    const service = await startService({
      ...{ uploads: { scan: ['sh', '-c', 'exec tail -f "$0"'] }, limits: { scanTimeout: 300 } },
    });
    const { status, body } = await service.upload(PHOTO);
    expect([status, body.code, service.left()]).toEqual([503, 'unavailable', []]);
  });
});
