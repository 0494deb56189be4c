import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { startService } from './service.ts';

describe('the address of the service', () => {
  it('is one address also for a name that has several: all connections count for the limits', async () => {
    const { url, http } = await startService({
      listen: { host: 'localhost', port: 0 },
      admin: { host: 'localhost', port: 0 },
    });
    for (const address of [url, http.urls.admin!]) {
      const { hostname, port } = new URL(address);
      expect(hostname).toBe('127.0.0.1');
      expect((await fetch(`${address}/livez`)).status).toBe(200);
      await expect(once(connect(Number(port), '::1'), 'connect')).rejects.toThrow();
    }
  });

  it('that this machine does not have is an error with the setting', async () => {
    for (const host of ['192.0.2.1', 'no-such-host.invalid'])
      await expect(startService({ admin: { host, port: 0 } })).rejects.toMatchObject({
        code: 'address_unusable',
        message: expect.stringContaining(`${host}:0: cannot be used (E`),
        fix: expect.stringContaining('{{admin}}'),
      });
  });
});
