import { describe, expect, it } from 'vitest';
import { hostAndPort, isLoopback } from '../../src/config.ts';
import { failure, person } from './folders.ts';

describe('the settings of the service', () => {
  it('have the defaults of a service for one machine', async () => {
    const { load } = person();
    const config = await load();
    expect(config).toMatchObject({
      ...{
        listen: '127.0.0.1:8000',
        admin: '127.0.0.1:5555',
        private: false,
        jwtSecretFile: null,
        jwks: null,
      },
      ...{ maxUpload: 10_000_000, maxFiles: 100, accept: ['jpeg', 'png', 'webp'], maxQueue: 10_000 },
      ...{
        rateLimit: { uploads: 50, window: 3_600_000 },
        keepFailed: 604_800_000,
        corsOrigin: [],
        scan: null,
      },
    });
    expect(config.storage).toBe(config.index.replace(/index\.db$/, 'storage'));
  });

  it("put storage beside an index of one's own", async () => {
    const { load } = person();
    expect((await load({ index: '/data/own.db' })).storage).toBe('/data/storage');
  });

  it.each([
    ['listen', '8000'],
    ['listen', '127.0.0.1'],
    ['listen', '127.0.0.1:70000'],
    ['listen', '::1:8000'],
    ['admin', 'off'],
    ['jwks', 'ftp://a.example'],
    ['jwks', 'https://user:secret@a.example'],
    ['maxUpload', '0'],
    ['maxFiles', '0'],
    ['accept', ''],
    ['accept', 'jpg'],
    ['rateLimit', '50'],
    ['rateLimit', '0/1h'],
    ['rateLimit', '5/1ms'],
    ['corsOrigin', '*'],
    ['corsOrigin', 'https://a.example/path'],
    ['trustProxy', '10.0.0.0/33'],
    ['trustProxy', '0.0.0.0/0'],
    ['trustProxy', 'fe80::1/0'],
    ['trustProxy', '300.1.1.1'],
    ['trustProxy', '010.0.0.1'],
    ['trustProxy', 'everybody'],
    ['publicUrl', 'images.example'],
    ['publicUrl', 'https://images.example/?a=1'],
    ['publicUrl', 'https://images.example/#top'],
  ])('refuse %s %j', async (key, value) => {
    const error = await failure(() => person().load({ [key]: value }));
    expect([error.code, error.message]).toEqual(['usage', expect.stringContaining(': expected ')]);
  });

  it('keep the address of public keys as it is, and cut the slash from what stands before a path', async () => {
    const { load } = person();
    const given = 'https://a.example/x/';
    expect(await load({ jwks: given, publicUrl: given })).toMatchObject({
      ...{ jwks: given, publicUrl: 'https://a.example/x' },
    });
  });

  it.each([
    ['127.0.0.1:8000', '127.0.0.1', 8000, true],
    ['[::1]:80', '::1', 80, true],
    ['localhost:0', 'localhost', 0, true],
    ['127.8.9.1:1', '127.8.9.1', 1, true],
    ['0.0.0.0:8000', '0.0.0.0', 8000, false],
    ['[::]:8000', '::', 8000, false],
    ['127.evil.example:1', '127.evil.example', 1, false],
  ])('read the address %s, and know who reaches it', (address, host, port, isOwn) => {
    expect(hostAndPort(address)).toEqual({ host, port });
    expect(isLoopback(host)).toBe(isOwn);
  });
});
