import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { BUCKET, begin } from './begin.ts';
import { LAST_PART, openRaw, part } from './raw.ts';
import { PHOTO, type Service, startService } from './service.ts';

const chunk = (bytes: Buffer) =>
  Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);

/** Sends chunks until the service closes the connection. */
async function flood({ socket }: Awaited<ReturnType<typeof openRaw>>, bytes: Buffer): Promise<void> {
  while (!socket.destroyed) {
    const isTaken = socket.write(chunk(bytes));
    if (isTaken) await new Promise(setImmediate);
    else await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), closeOf(socket)]);
  }
}

const closeOf = (socket: { once(event: 'close', heard: () => void): unknown }) =>
  new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
  });

/** The number of requests with uploads that the service has not ended. */
async function openUploads({ ask, http }: Service): Promise<number> {
  const { body } = await ask('/metrics', { base: http.urls.admin! });
  return Number(/^imgtool_uploads_open (\d+)$/m.exec(body.toString())?.[1]);
}

describe('a body that is too large', () => {
  it('is refused by its length, before it is sent', async () => {
    const service = await startService();
    const { received, socket } = await begin(service, ['Content-Length: 2000000000']);
    await received(/^HTTP\/1\.1 413 [\s\S]*"upload_too_large"/);
    socket.destroy();
    expect(service.left()).toEqual([]);
  });

  it('is not asked for when the client waits for leave to send it', async () => {
    const service = await startService();
    const { closed, text } = await begin(service, ['Content-Length: 2000000000', 'Expect: 100-continue']);
    await closed;
    expect(text()).toMatch(/^HTTP\/1\.1 413 /);
    expect(text()).not.toContain('100 Continue');
  });

  it('is refused soon after the limit when it has no length and no end', async () => {
    const service = await startService();
    const connection = await begin(service, ['Transfer-Encoding: chunked']);
    connection.socket.write(chunk(Buffer.concat([BUCKET, part('file', PHOTO, 'a.jpg').subarray(0, -2)])));
    const flooding = flood(connection, Buffer.alloc(65_536));
    await connection.received(/^HTTP\/1\.1 413 [\s\S]*"upload_too_large"/);
    await connection.closed;
    await flooding;
    expect(service.left()).toEqual([]);
  });

  it('is refused also when it never comes to a part', async () => {
    const service = await startService();
    const connection = await begin(service, ['Transfer-Encoding: chunked'], { path: '/upload' });
    const flooding = flood(connection, Buffer.alloc(65_536, 'x'));
    await connection.received(/^HTTP\/1\.1 413 /);
    await connection.closed;
    await flooding;
    expect(service.left()).toEqual([]);
  });

  it.each([
    ['parts', (i: number) => part(`p${i}`, 'x')],
    ['files', (i: number) => part('file', 'x', `${i}.jpg`)],
    ['fields of one name', () => part('bucket', 'photos')],
  ])('is refused when it has a hundred thousand %s', async (_, one) => {
    const service = await startService();
    const { socket, received } = await begin(service, ['Transfer-Encoding: chunked'], { path: '/upload' });
    for (let i = 0; i < 100_000 && !socket.destroyed; i += 1_000) {
      const parts = Array.from({ length: 1_000 }, (__, j) => one(i + j));
      socket.write(chunk(Buffer.concat(parts)));
    }
    await received(/^HTTP\/1\.1 4(13|22) /);
    socket.destroy();
    expect(service.left()).toEqual([]);
  });

  it('is refused when a part has a hundred thousand headers, or a field has megabytes', async () => {
    const service = await startService({ uploads: { maxUpload: 20_000_000 } });
    const headers = Array.from({ length: 100_000 }, (_, i) => `X-${i}: y`).join('\r\n');
    for (const body of [
      Buffer.concat([Buffer.from(`--boundary-of-the-tests\r\n${headers}\r\n\r\n`), LAST_PART]),
      Buffer.concat([part('bucket', 'x'.repeat(10_000_000)), part('file', PHOTO, 'a.jpg'), LAST_PART]),
    ]) {
      const { received, socket } = await begin(service, [`Content-Length: ${body.length}`]);
      socket.write(body);
      await received(/^HTTP\/1\.1 4(13|22) /);
      socket.destroy();
    }
    expect(service.left()).toEqual([]);
  });
});

describe('a slow client', () => {
  const limits = { headersTimeout: 300, requestTimeout: 600, lingering: 100 };

  it('that sends no headers is told so and disconnected, also when it sends nothing at all', async () => {
    const service = await startService({ limits });
    const silent = await openRaw(service.url);
    const slow = await openRaw(service.url);
    slow.socket.write('GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ');
    await Promise.all([silent.closed, slow.closed]);
    expect(slow.text()).toMatch(/^HTTP\/1\.1 408 [\s\S]*"request_timeout"/);
  });

  it('that sends a body byte by byte is disconnected, and leaves no file', async () => {
    const service = await startService({ limits });
    const { socket, closed, text } = await begin(service, ['Content-Length: 100000']);
    socket.write(Buffer.concat([BUCKET, part('file', PHOTO, 'a.jpg').subarray(0, 3_000)]));
    const drip = setInterval(() => socket.write('x'), 20);
    await closed;
    clearInterval(drip);
    expect(text()).toMatch(/^HTTP\/1\.1 408 /);
    await expect.poll(() => service.left()).toEqual([]);
  });

  it('that goes away in the middle leaves no file, and others are served meanwhile', async () => {
    const service = await startService();
    const slow = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const connection = await begin(service, ['Content-Length: 100000']);
        connection.socket.write(Buffer.concat([BUCKET, part('file', PHOTO, 'a.jpg').subarray(0, 3_000)]));
        return connection;
      }),
    );
    await expect.poll(() => service.left()).toHaveLength(20);
    const { status, body } = await service.upload(PHOTO);
    expect(status).toBe(202);
    for (const { socket } of slow) socket.destroy();
    await expect.poll(() => service.left()).toEqual([`staging/${body.image_id}`]);
  });
});

describe('a client that goes away while its request is checked', () => {
  it.each(['by itself', 'because it is too slow'])('%s keeps no place of an upload', async (how) => {
    const service = await startService({ limits: { headersTimeout: 300, requestTimeout: 600 } });
    const { space } = service.objects;
    let goOn = () => {};
    const checked = vi.spyOn(service.objects, 'space').mockImplementationOnce(async () => {
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
      return space();
    });
    const { socket, closed } = await begin(service, ['Content-Length: 100000']);
    socket.write(Buffer.concat([BUCKET, part('file', PHOTO, 'a.jpg').subarray(0, 3_000)]));
    await expect.poll(() => checked.mock.calls.length).toBe(1);
    if (how === 'by itself') socket.destroy();
    await closed;
    // Its connection ended before this one began.
    await service.ask('/livez');
    goOn();
    const isRefused = () => service.events.some(({ type }) => type === 'request.refused');
    await expect.poll(isRefused).toBe(true);
    await expect.poll(() => openUploads(service)).toBe(0);
    expect(service.left()).toEqual([]);
  });
});

describe('five hundred connections', () => {
  it('that send nothing, or slowly, or only half of it are closed, and others are served meanwhile', async () => {
    const service = await startService({
      limits: { headersTimeout: 2_000, requestTimeout: 4_000 },
      // Uploads that are cut off count against it.
      uploads: { quota: null },
    });
    const kinds = [
      () => openRaw(service.url),
      async () => {
        const connection = await openRaw(service.url);
        const drip = setInterval(() => connection.socket.write('X'), 100);
        connection.socket.write('GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ');
        connection.socket.once('close', () => clearInterval(drip));
        return connection;
      },
      async () => {
        const connection = await openRaw(service.url);
        connection.socket.end('GET /livez HTTP/1.1\r\nHo');
        return connection;
      },
      async () => {
        const connection = await begin(service, ['Content-Length: 100000']);
        connection.socket.end(part('file', PHOTO, 'a.jpg').subarray(0, 3_000));
        return connection;
      },
      async () => {
        const connection = await begin(service, ['Content-Length: 100000'], { path: '/batch' });
        connection.socket.write(part('file', PHOTO, 'a.jpg').subarray(0, 3_000));
        return connection;
      },
    ];
    // The last kind keeps places of uploads, of which there are 64.
    const open = (i: number) => kinds[i % 10 === 9 ? 4 : i % 4]!();
    const connections = await Promise.all(Array.from({ length: 500 }, (_, i) => open(i)));
    expect((await service.ask('/livez')).status).toBe(200);
    await Promise.all(connections.map(({ closed }) => closed));
    // The service still removes files of those that were cut off.
    await expect.poll(() => openUploads(service)).toBe(0);
    expect((await service.upload(PHOTO)).status).toBe(202);
    await expect.poll(() => service.left()).toHaveLength(1);
  });
});

describe('a request that is not valid', () => {
  const HIDDEN = '0\r\n\r\nGET /livez HTTP/1.1\r\nHost: x\r\n\r\n';

  it.each([
    ['length and chunks', 'Content-Length: 5\r\nTransfer-Encoding: chunked'],
    ['chunks and length', 'Transfer-Encoding: chunked\r\nContent-Length: 5'],
    ['two lengths', 'Content-Length: 5\r\nContent-Length: 6'],
    ['a length that is no number', 'Content-Length: 5, 6'],
    ['a space behind the name of a header', 'Transfer-Encoding : chunked'],
    ['an unknown encoding', 'Transfer-Encoding: xchunked'],
    ['an encoding behind chunks', 'Transfer-Encoding: chunked, identity'],
    ['a header in two lines', 'Transfer-Encoding:\r\n chunked\r\nContent-Length: 5'],
    ['a line that ends with LF', 'X: y\nTransfer-Encoding: chunked'],
    ['NUL in a header', 'X: a\0b\r\nTransfer-Encoding: chunked'],
  ])('because of %s hides no second request', async (_, headers) => {
    const service = await startService();
    const { socket, closed, text } = await openRaw(service.url);
    socket.write(`POST /upload HTTP/1.1\r\nHost: x\r\n${headers}\r\n\r\n${HIDDEN}`);
    await closed;
    expect(text().match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 400']);
    expect(service.events).toMatchObject([{ type: 'request.refused', status: 400, client: '127.0.0.1' }]);
  });

  it('in a refused body is not read as a request', async () => {
    const service = await startService();
    const { socket, closed, text } = await openRaw(service.url);
    const head = ['POST /upload HTTP/1.1', 'Host: x', 'Content-Length: 500', 'Expect: 100-continue'];
    socket.write(`${head.join('\r\n')}\r\n\r\n${HIDDEN}`);
    await closed;
    expect(text().match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 401']);
  });

  it.each([
    ['GET', '/api/v1/images/batch', '/api/v1/images/batch', 422, 'invalid_request'],
    ['GET', '/api/v1/images/batch?image_ids=x', '/api/v1/images/batch', 200, undefined],
    ['DELETE', '/api/v1/images/batch', '/api/v1/images/:image_id', 404, 'not_found'],
    ['GET', '/api/v1/images/jobs', '/api/v1/images/:image_id', 404, 'not_found'],
    ['GET', '/api/v1/images/upload', '/api/v1/images/:image_id', 404, 'not_found'],
    ['PATCH', '/api/v1/images/batch', 'unknown', 405, 'method_not_allowed'],
    ['POST', '/storage/photos', 'unknown', 405, 'method_not_allowed'],
    ['OPTIONS', '/livez', 'unknown', 405, 'method_not_allowed'],
  ])('%s %s goes to the route %s', async (method, path, route, status, code) => {
    const { ask, http } = await startService();
    const answer = await ask(path, { method });
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    const metrics = (await ask('/metrics', { base: http.urls.admin! })).body.toString();
    expect(metrics).toContain(`_count{method="${method}",route="${route}",status="${status}"} 1`);
  });

  it.each([
    [
      'length and chunks at once',
      'POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n',
      400,
    ],
    ['headers of 20 kB', `GET /livez HTTP/1.1\r\nHost: x\r\nX-Big: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['an unknown method', 'BREW /livez HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['no host', 'GET /livez HTTP/1.1\r\n\r\n', 400],
  ])('with %s is answered and served no further', async (_, request, status) => {
    const service = await startService();
    const { socket, closed, text } = await openRaw(service.url);
    socket.write(`${request}GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    await closed;
    expect(text().match(/HTTP\/1\.1 \d+/g)).toEqual([`HTTP/1.1 ${status}`]);
  });

  it('that comes while an answer is sent ends the connection, and puts nothing into that answer', async () => {
    const service = await startService();
    const { body } = await service.upload(PHOTO);
    await service.complete();
    const { urls } = (await service.ask(`/api/v1/images/${body.image_id}/all`)).body;
    const bytes = Buffer.alloc(30_000_000, 'x');
    writeFileSync(join(service.storage, urls.medium.replace('/storage/', '')), bytes);
    const { socket, received, closed, text } = await openRaw(service.url);
    socket.write(`GET ${urls.medium} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await received(/^HTTP\/1\.1 200 [\s\S]*?\r\n\r\nx/);
    socket.write('this is no request\r\n\r\n');
    await closed;
    const [sent = ''] = text().split('\r\n\r\n').slice(1);
    expect(/[^x]/.test(sent.slice(0, bytes.length))).toBe(false);
  });

  it('names the methods of an address', async () => {
    const { ask } = await startService();
    const { status, headers, body } = await ask('/api/v1/images/upload', { method: 'PUT' });
    expect([status, body.code]).toEqual([405, 'method_not_allowed']);
    expect(headers.get('allow')).toContain('POST');
  });
});
