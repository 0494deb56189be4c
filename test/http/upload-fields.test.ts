import { describe, expect, it } from 'vitest';
import { BUCKET, begin } from './begin.ts';
import { LAST_PART, part } from './raw.ts';
import { PHOTO, startService } from './service.ts';

describe('a field', () => {
  it.each([
    ['bucket', ''],
    ['bucket', '..'],
    ['bucket', 'a/b'],
    ['bucket', 'a\0b'],
    ['bucket', 'abc\n'],
    ['bucket', 'staging'],
    ['bucket', 'Photos'],
    ['bucket', 'ﬁle'],
    ['bucket', 'x'.repeat(10_000)],
    ['preset', 'none'],
    ['preset', '__proto__'],
    ['metadata', '{'],
    ['metadata', 'x'],
    ['metadata', `"${'x'.repeat(16_384)}"`],
    ['metadata', '['.repeat(8_000) + ']'.repeat(8_000)],
    ['metadata', '['.repeat(65) + ']'.repeat(65)],
  ])('%s with %j is 422, and leaves nothing', async (field, value) => {
    const service = await startService();
    const { status, body } = await service.upload(PHOTO, { fields: { bucket: 'photos', [field]: value } });
    expect([status, body.code]).toEqual([422, 'invalid_request']);
    expect(service.left()).toEqual([]);
  });

  it('of JSON comes back as it is, also with names of prototypes', async () => {
    const service = await startService();
    const metadata = '{"__proto__":{"a":1},"constructor":[true,null,1.5],"text":"\\"[{é\\u0000"}';
    const { body } = await service.upload(PHOTO, { fields: { bucket: 'photos', metadata } });
    await service.complete();
    const result = await service.ask(`${body.status_url}/result`);
    expect(JSON.stringify(result.body.metadata.context)).toBe(JSON.stringify(JSON.parse(metadata)));
  });

  it.each([
    ['no bucket', [part('file', PHOTO, 'a.jpg')]],
    ['no file', [BUCKET]],
    ['two files', [BUCKET, part('file', PHOTO, 'a.jpg'), part('file', PHOTO, 'b.jpg')]],
    ['a file of another name', [BUCKET, part('photo', PHOTO, 'a.jpg')]],
    ['a file with a long name', [BUCKET, part('file', PHOTO, 'x'.repeat(300))]],
    ['a file with a control character in its name', [BUCKET, part('file', PHOTO, 'a\u0007.jpg')]],
    ['a field named __proto__', [BUCKET, part('__proto__', 'x'), part('file', PHOTO, 'a.jpg')]],
  ])('is checked in a request with %s', async (_, parts) => {
    const service = await startService();
    const body = Buffer.concat([...parts, LAST_PART]);
    const { socket, received } = await begin(service, [`Content-Length: ${body.length}`]);
    socket.write(body);
    const [, status] = await received(/^HTTP\/1\.1 (\d+) [\s\S]*\}$/);
    expect(status).toMatch(/^4(13|22)$/);
    socket.destroy();
    expect(service.left()).toEqual([]);
  });

  it('may come behind the file', async () => {
    const service = await startService();
    const body = Buffer.concat([part('file', PHOTO, '../../etc/a.jpg'), BUCKET, LAST_PART]);
    const { socket, received } = await begin(service, [`Content-Length: ${body.length}`]);
    socket.write(body);
    await received(/^HTTP\/1\.1 202 [\s\S]*\}$/);
    socket.destroy();
    const [image] = await service.complete();
    expect(image).toMatchObject({ bucket: 'photos', name: 'a.jpg' });
  });
});
