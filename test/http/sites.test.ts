import { describe, expect, it } from 'vitest';
import { exchange, openRaw } from './raw.ts';
import { PHOTO, startService } from './service.ts';

const SITE = 'https://photos.example';

describe('a page of another site', () => {
  it('may use the service with a token, if the settings name the site', async () => {
    const { url, upload } = await startService({ corsOrigins: [SITE] });
    const { headers } = await upload(PHOTO, { headers: { origin: SITE } });
    expect(headers.get('access-control-allow-origin')).toBe(SITE);
    expect(headers.get('access-control-allow-credentials')).toBe('true');
    for (const shown of ['x-ratelimit-remaining', 'idempotency-replayed', 'content-range'])
      expect(headers.get('access-control-expose-headers')).toContain(shown);
    const asked = {
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization',
    };
    const ask = (origin: string) =>
      fetch(`${url}/api/v1/images/upload`, { method: 'OPTIONS', headers: { origin, ...asked } });
    const leave = await ask(SITE);
    expect([leave.status, leave.headers.get('access-control-allow-origin')]).toEqual([204, SITE]);
    expect(leave.headers.get('access-control-allow-methods')).toMatch(/POST/);
    expect((await ask('https://evil.example')).headers.get('access-control-allow-origin')).not.toBe(
      'https://evil.example',
    );
  });

  it('learns nothing where the settings name no site', async () => {
    const { upload } = await startService();
    const { headers } = await upload(PHOTO, { headers: { origin: SITE } });
    expect(headers.get('access-control-allow-origin')).toBe(null);
  });

  it('cannot use a service without tokens, by its address or by a name of its own', async () => {
    const { url, ask, upload } = await startService({ tokens: null, uploads: { quota: null } });
    expect((await upload(PHOTO)).status).toBe(202);
    const foreign = await upload(PHOTO, { headers: { origin: 'https://evil.example' } });
    expect([foreign.status, foreign.body.code]).toEqual([403, 'forbidden']);
    expect((await ask('/livez')).status).toBe(200);
    for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example']) {
      const lines = ['GET /api/v1/health/stats HTTP/1.1', `Host: ${host}`];
      const { status } = await exchangeAs(url, lines);
      expect({ host, status }).toEqual({ host, status: 403 });
    }
  });
});

/** A request with a Host of its own. */
async function exchangeAs(url: string, lines: readonly string[]) {
  const { socket, closed, text } = await openRaw(url);
  socket.write(`${lines.join('\r\n')}\r\nConnection: close\r\n\r\n`);
  await closed;
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(text())?.[1]) };
}

describe('the address of a client', () => {
  const FORWARDED = [
    'X-Forwarded-For: 1.2.3.4, 5.6.7.8',
    'X-Forwarded-Proto: https',
    'X-Forwarded-Host: evil',
  ];

  async function clientOf(trustProxy: readonly string[]): Promise<string | null | undefined> {
    const service = await startService({ trustProxy });
    const { status } = await exchange(service.url, ['GET /api/v1/images/batch HTTP/1.1', ...FORWARDED]);
    expect(status).toBe(401);
    return service.events.find((event) => event.type === 'request.refused')?.client;
  }

  it('is not what a stranger says in a header', async () => {
    expect(await clientOf([])).toBe('127.0.0.1');
    expect(await clientOf(['10.0.0.0/8'])).toBe('127.0.0.1');
  });

  it('is what a trusted proxy says: the last address that is no proxy', async () => {
    expect(await clientOf(['loopback'])).toBe('5.6.7.8');
    expect(await clientOf(['loopback', '5.6.7.8'])).toBe('1.2.3.4');
  });
});
