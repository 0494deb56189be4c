import dns from 'node:dns';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { startService } from './service.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

describe('the address of the service', () => {
  it('is one address also for a name that has several: all connections count for the limits', async () => {
    const localhost = { host: 'localhost', port: 0 };
    const { lookup } = dns;
    // This machine may have one address of this name.
    vi.spyOn(dns, 'lookup').mockImplementation(((...args: unknown[]) => {
      const [, options, heard] = args as [string, { all?: boolean }, (error: null, all: object[]) => void];
      if (!options.all) return Reflect.apply(lookup, dns, args);
      heard(
        null,
        ['127.0.0.1', '127.0.0.2'].map((address) => ({ address, family: 4 })),
      );
    }) as typeof lookup);
    const { url, http } = await startService({ listen: localhost, admin: localhost });
    for (const address of [url, http.urls.admin!]) {
      const { hostname, port } = new URL(address);
      expect(hostname).toBe('127.0.0.1');
      expect((await fetch(`${address}/livez`)).status).toBe(200);
      await expect(once(connect(Number(port), '127.0.0.2'), 'connect')).rejects.toThrow('ECONNREFUSED');
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
