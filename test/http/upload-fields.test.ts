import { describe, expect, it } from 'vitest';
import { BUCKET, begin } from './begin.ts';
import { exchange, LAST_PART, part, uploadHead } from './raw.ts';
import { PHOTO, type Service, startService, tokenOf } from './service.ts';

/** Sends a body of these parts. */
async function send(service: Service, parts: readonly Buffer[]) {
  const body = Buffer.concat([...parts, LAST_PART]);
  const head = uploadHead(await tokenOf('ann'), [`Content-Length: ${body.length}`]);
  return exchange(service.url, head, body);
}

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
    ['metadata', '['.repeat(10_000) + ']'.repeat(10_000)],
    ['preset', '../web'],
    ['preset', 'web\n'],
    ['preset', 'x'.repeat(10_000)],
  ])('%s with %j is 422, and leaves nothing', async (field, value) => {
    const service = await startService();
    const { status, body } = await service.upload(PHOTO, { fields: { bucket: 'photos', [field]: value } });
    expect([status, body.code]).toEqual([422, 'invalid_request']);
    expect(service.left()).toEqual([]);
  });

  it.each([
    ['Photos', { bucket: 'Photos' }, /^bucket: expected 3 to 63 lower-case letters, digits and hyphens/],
    ['no bucket', {}, /^bucket: is missing$/],
  ])('with %s is refused in words that say what is expected', async (_, fields, detail) => {
    const { upload } = await startService();
    const { body } = await upload(PHOTO, { fields });
    expect(body.detail).toMatch(detail);
    expect(body.fix).toMatch(/^send a field bucket: 3 to 63 lower-case letters/);
  });

  it('is one of at most ten, whatever the number of files', async () => {
    const service = await startService();
    for (const path of ['/api/v1/images/upload', '/upload']) {
      const fields = Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`field-${i}`, 'x']));
      expect((await service.upload(PHOTO, { path, fields })).body).toMatchObject({
        ...{ status: 413, code: 'upload_too_large', detail: 'the request has too many fields' },
        fix: 'send at most 10 fields beside the files',
      });
    }
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

  it.each([
    ['that is nested too deep', `${'['.repeat(8_000)}${']'.repeat(8_000)}`],
    ['with a name of a prototype', '{"__proto__":{"a":1}}'],
    ['that is cut off', '{'],
  ])('with the type of JSON %s is 422', async (_, value) => {
    const service = await startService();
    const name = 'metadata"\r\nContent-Type: application/json; x="';
    const { status } = await send(service, [BUCKET, part(name, value), part('file', PHOTO, 'a.jpg')]);
    expect(status).toBe(422);
    expect(service.left()).toEqual([]);
  });

  it.each([
    ['no name', '"; x="', /no name of a file/],
    ['a newline in its name', `"; filename*=UTF-8''a%0D%0Ab.jpg; x="`, /has no file/],
    ['NUL in its name', `"; filename*=UTF-8''a%00b.jpg; x="`, /control characters/],
    ['a newline in its own name', `"; name*=UTF-8''a%0Ab; filename="a.jpg`, /has no file/],
  ])('of a file with %s is 422, however large the file is', async (_, name, message) => {
    // The parser skips some of these parts.
    const service = await startService({ limits: { uploads: 1 } });
    for (const bytes of [100, 34_000, 130_000, 900_000]) {
      const file = Buffer.concat([PHOTO, Buffer.alloc(bytes)]);
      const { status, body } = await send(service, [BUCKET, part(`file${name}`, file)]);
      expect([status, body]).toEqual([422, expect.stringMatching(message)]);
    }
    expect(service.left()).toEqual([]);
    expect((await service.upload(PHOTO)).status).toBe(202);
  });

  it.each([
    ['a path of Windows', 'C:\\\\temp\\\\a.jpg', 'a.jpg'],
    ['two dots', '..', 'unnamed'],
    ['text from right to left', 'a\u202egpj.exe', 'a\u202egpj.exe'],
    ['separators of lines', 'a\u2028b\u0085c.jpg', 'a\u2028b\u0085c.jpg'],
  ])('of a file with the name of %s is text alone', async (_, given, name) => {
    const service = await startService();
    const { status } = await send(service, [BUCKET, part('file', PHOTO, given)]);
    expect(status).toBe(202);
    expect(await service.complete()).toMatchObject([{ name }]);
    expect(service.files().every((path) => /^[\w./-]+$/.test(path))).toBe(true);
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
