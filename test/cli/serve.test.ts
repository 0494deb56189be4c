import { chmodSync, statSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import Sqlite from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { keep } from '../../src/adapters/sqlite/binding.ts';
import { storeBeside } from '../../src/adapters/sqlite/file.ts';
import { openSqliteStore } from '../../src/adapters/store/sqlite.ts';
import { rootPageOf, spoil } from '../adapters/sqlite-index/filled.ts';
import { newImage, upload as startUpload, TORN } from '../contract/store-steps.ts';
import { begin } from '../http/begin.ts';
import { LAST_PART, part } from '../http/raw.ts';
import { PHOTO } from '../http/service.ts';
import { openPlace } from './imgtool.ts';
import { resultOf, SECRET, serve } from './service.ts';

describe('imgtool serve', () => {
  it('renders what is uploaded, keeps it over a restart, and never shows a secret', async () => {
    const place = openPlace();
    const first = await serve(place);
    const { status, body } = await first.upload();
    expect(status).toBe(202);
    const result = await resultOf(first.ask, body.status_url);
    expect(result.metadata.variants.thumbnail).toMatchObject({ width: 150, format: 'webp' });
    const file = await fetch(`${first.url}${result.urls.medium}`);
    const bytes = await file.arrayBuffer();
    expect(bytes.byteLength).toBe(result.metadata.variants.medium.size_bytes);
    const metrics = await (await fetch(`${first.admin}/metrics`)).text();
    expect(metrics).toContain('imgtool_images_ended_total{state="completed"} 1');
    first.session.signal('SIGTERM');
    const ended = await first.session.ended;
    expect(ended.signal).toBe('SIGTERM');
    expect(ended.stdout + ended.stderr).not.toContain(SECRET);
    expect(place.files('storage/staging')).toEqual([]);

    const second = await serve(place);
    expect((await second.ask(`${body.status_url}/result`)).body).toEqual(result);
    second.session.signal('SIGINT');
    expect((await second.session.ended).signal).toBe('SIGINT');
  });

  it.skipIf(process.platform === 'win32')(
    'hides uploads and records from others, and warns about secrets that all can read',
    async () => {
      const place = openPlace();
      const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);
      place.put('secrets.txt', `${SECRET}\n`);
      chmodSync(place.at('secrets.txt'), 0o644);
      const { session, upload } = await serve(place);
      expect(await session.line(/^\S+ warning /, 'stderr')).toMatch(
        /every user of this machine can read the secrets" fix="chmod 600 \S+secrets\.txt"/,
      );
      await upload();
      const store = storeBeside(place.index);
      expect([store, `${store}-wal`, `${store}-shm`].map(modeOf)).toEqual(['600', '600', '600']);
      expect(['staging', '.staged', ''].map((name) => modeOf(place.at('storage', name)))).toEqual([
        ...['700', '700', '755'],
      ]);
      await place.run(['doctor', '--backup', 'copy.db']);
      expect(modeOf(place.at('copy.serve.db'))).toBe('600');
      session.signal('SIGTERM');
      await session.ended;
    },
  );

  it('says at its start and at its end how many images wait', async () => {
    const place = openPlace();
    const store = await openSqliteStore(storeBeside(place.index));
    await startUpload(store, { images: [newImage(), newImage()] });
    const later = { state: 'retrying', error: TORN, delay: 600_000 } as const;
    for (const claim of await store.take('gone', 2)) await store.settle(claim, later);
    await store.close();
    const { session } = await serve(place);
    expect(await session.line(/listening /, 'stderr')).toMatch(/ waiting=2$/);
    session.signal('SIGTERM');
    expect((await session.ended).stderr).toMatch(/ stopped waiting=2\n$/);
  });

  it('ends when its first question meets damage in a large store, which no start reads in whole', async () => {
    const place = openPlace();
    const path = storeBeside(place.index);
    const store = await openSqliteStore(path);
    await store.close();
    const db = keep(new Sqlite(path));
    db.exec(`INSERT INTO events (at, type, image, job, batch, owner, data)
      VALUES (${Date.now()}, '', '', '', '', '', hex(zeroblob(9000000)))`);
    db.close();
    spoil(path, [rootPageOf(path, 'images_by_state')]);
    const { code, stderr } = await place.run(['serve', '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0']);
    expect([code, stderr]).toEqual([3, expect.stringMatching(/^error: .* the store is damaged/m)]);
  });

  it('lets an upload finish that has begun when it is stopped', async () => {
    const place = openPlace();
    const { session, url, token, ask } = await serve(place);
    const body = Buffer.concat([part('bucket', 'photos'), part('file', PHOTO, 'a.jpg'), LAST_PART]);
    const upload = await begin({ url }, [`Content-Length: ${body.length}`], { token });
    upload.socket.write(body.subarray(0, 3_000));
    await expect.poll(() => place.files('storage/.staged')).toHaveLength(1);
    session.signal('SIGTERM');
    await session.line(/stopping /, 'stderr');
    await expect.poll(async () => (await ask('/readyz')).status).toBe(503);
    upload.socket.write(body.subarray(3_000));
    await upload.received(/^HTTP\/1\.1 202 /);
    upload.socket.destroy();
    expect((await session.ended).signal).toBe('SIGTERM');
    const again = await serve(place);
    const [, job = ''] = /"status_url":"([^"]+)"/.exec(upload.text()) ?? [];
    expect(await resultOf(again.ask, job)).toMatchObject({ status: 'completed' });
    again.session.signal('SIGTERM');
    await again.session.ended;
  });

  it('runs once on a store', async () => {
    const place = openPlace();
    const { session } = await serve(place);
    const second = await place.run(['serve', '--listen', '127.0.0.1:0', '--admin', 'none']);
    expect(second.code).toBe(3);
    expect(second.stderr).toMatch(/is in use by imgtool serve[\s\S]*\nfix: /);
    session.signal('SIGTERM');
    await session.ended;
  });

  it('says which address is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const address = `127.0.0.1:${(other.address() as AddressInfo).port}`;
    const free = '127.0.0.1:0';
    for (const [listen, admin] of [
      [address, free],
      [free, address],
    ]) {
      const { code, stderr } = await openPlace().run(['serve', '--listen', listen!, '--admin', admin!]);
      expect(code).toBe(3);
      expect(stderr).toContain(`${address}: another program listens there`);
      expect(stderr).toContain(`another ${listen === address ? '--listen' : '--admin'}`);
    }
    other.close();
  });

  it('says which address this machine does not have', async () => {
    const place = openPlace();
    place.put('secrets.txt', `${SECRET}\n`);
    const address = ['--listen', '192.0.2.1:0', '--admin', 'none', '--jwt-secret-file', 'secrets.txt'];
    const { code, stderr } = await place.run(['serve', ...address]);
    expect(code).toBe(3);
    expect(stderr).toMatch(/192\.0\.2\.1:0: cannot be used \(EADDRNOTAVAIL\)[\s\S]*\nfix: .*--listen/);
  });

  it.each([
    [
      'an address of strangers without tokens',
      ['--listen', '0.0.0.0:0'],
      /--listen: 0\.0\.0\.0:0 can be reached/,
    ],
    ['such an address for the operator', ['--admin', '[::]:0'], /--admin: \[::\]:0 can be reached/],
    [
      'a short secret',
      ['--jwt-secret-file', 'short.txt'],
      /line 1: expected a secret of at least 32 bytes, got 9/,
    ],
    ['a file without secrets', ['--jwt-secret-file', 'empty.txt'], /expected a secret, got an empty file/],
    [
      'a file of secrets that is not there',
      ['--jwt-secret-file', 'none.txt'],
      /could not be read \(ENOENT\)/,
    ],
    ['public keys without an issuer', ['--jwks', 'https://keys.example'], /need an issuer and an audience/],
    ['a format that does not exist', ['--accept', 'jpg'], /--accept: expected formats among/],
    [
      'an address of outputs with a question mark',
      ['--public-url', 'https://a.example/?x'],
      /--public-url: expected an address without \? and #/,
    ],
    ['a network of all addresses', ['--trust-proxy', '0.0.0.0/0'], /--trust-proxy: expected an address/],
    [
      'metadata that a preset of the settings cannot hold',
      ['--preset', 'web', '--copyright', 'x'],
      /preset gifs: --copyright \(variant a\)/,
    ],
    ['SVG that is never rendered', ['--accept', 'png,svg'], /svg is rendered only with --allow-svg\nfix: /],
    ['a scanner that is not there', ['--scan', 'no-such-scanner -x'], /no program no-such-scanner\nfix: /],
    ['a scanner that is a folder', ['--scan', './'], /--scan: there is no program \.\/\nfix: /],
    ['files of some bytes', ['--max-upload', '20'], /--max-upload: expected a size from 1k/],
    ['a limit without a time', ['--rate-limit', '50'], /--rate-limit: expected a number and a time/],
    ['a preset that does not exist', ['--preset', 'none'], /unknown preset/],
  ])('does not start with %s: exit code 2, and what is right', async (_, args, message) => {
    const place = openPlace();
    place.put('short.txt', 'hush-4711\n');
    place.put('empty.txt', '\n');
    place.put('.imgtoolrc', 'presets:\n  gifs: ["a:w=10,format=gif"]\n');
    const { code, stderr } = await place.run(['serve', ...args]);
    expect(stderr).toMatch(message);
    // The message of a wrong value says what is right.
    expect(stderr).toMatch(/\nfix: \S|: expected .*, got \S/);
    expect(stderr).not.toContain('hush-4711');
    expect(code).toBe(2);
  });

  it('does not start where storage cannot be written', async () => {
    const place = openPlace();
    place.put('file', 'not a folder');
    const { code, stderr } = await place.run([
      'serve',
      '--storage',
      'file',
      '--listen',
      '127.0.0.1:0',
      '--admin',
      'none',
    ]);
    expect({ code, stderr }).toMatchObject({ code: 3 });
    expect(stderr).toMatch(/\nfix: .*--storage/);
    const nowhere = ['--storage', '/proc/x', '--listen', '127.0.0.1:0', '--admin', 'none'];
    const second = await place.run(['serve', ...nowhere]);
    expect(second.code).toBe(3);
    expect(second.stderr).toMatch(/\/proc\/x: [\s\S]*\nfix: .*--storage/);
  });
});

describe('imgtool token', () => {
  it('prints a token alone, or as JSON', async () => {
    const place = openPlace();
    place.put('secrets.txt', `${SECRET}\n`);
    const args = [
      'token',
      '--sub',
      'ann',
      '--expires',
      '2h',
      '--scope',
      'admin',
      '--jwt-secret-file',
      'secrets.txt',
    ];
    const { stdout } = await place.run(args);
    const [, claims = ''] = stdout.split('.');
    const { sub, scope, iat, exp } = JSON.parse(Buffer.from(claims, 'base64url').toString());
    expect([sub, scope, exp - iat]).toEqual(['ann', 'admin', 7_200]);
    const json = JSON.parse((await place.run([...args, '--json'])).stdout);
    expect(json).toMatchObject({ v: 1, sub: 'ann', expires_at: expect.stringMatching(/Z$/) });
  });

  it.each([
    ['no owner', ['token', '--jwt-secret-file', 'secrets.txt'], /--sub: expected a name/],
    [
      'an owner that the service refuses',
      ['token', '--sub', 'a\nb', '--jwt-secret-file', 'secrets.txt'],
      /--sub: expected a name .* without control characters/,
    ],
    [
      'an unknown scope',
      ['token', '--sub', 'ann', '--scope', 'amdin', '--jwt-secret-file', 'secrets.txt'],
      /--scope: expected admin, got "amdin"\nfix: /,
    ],
    ['no secret', ['token', '--sub', 'ann'], /--jwt-secret-file: a token needs a secret/],
    [
      'a wrong time',
      ['token', '--sub', 'ann', '--expires', 'soon', '--jwt-secret-file', 'secrets.txt'],
      /--expires: /,
    ],
  ])('is refused with %s', async (_, args, message) => {
    const place = openPlace();
    place.put('secrets.txt', `${SECRET}\n`);
    const { code, stderr } = await place.run(args);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });
});
