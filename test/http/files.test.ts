import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exchange } from './raw.ts';
import { PHOTO, startService } from './service.ts';

const ID = '11111111-2222-4333-8444-555555555555';

describe('/storage/', () => {
  it('gives an output to everybody who knows its address, to keep for a year', async () => {
    const service = await startService();
    const { body } = await service.upload(PHOTO);
    await service.complete();
    const { urls } = (await service.ask(`/api/v1/images/${body.image_id}/all`)).body;
    const { status, headers } = await service.ask(urls.medium, { token: '' });
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(headers.get('content-type')).toBe('image/webp');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('says which part of a request does not fit an output, and what cannot be read', async () => {
    const service = await startService();
    const { body } = await service.upload(PHOTO);
    await service.complete();
    const { urls } = (await service.ask(`/api/v1/images/${body.image_id}/all`)).body;
    const condition = await service.ask(urls.medium, { headers: { 'if-match': '"other"' } });
    expect([condition.status, condition.body.detail]).toEqual([412, expect.stringContaining('condition')]);
    const range = await service.ask(urls.medium, { headers: { range: 'bytes=9999999-' } });
    expect([range.status, range.body.detail]).toEqual([416, expect.stringContaining('range')]);
    expect(range.headers.get('content-range')).toMatch(/^bytes \*\/\d+$/);
    const { locate } = service.objects;
    const loop = join(service.root, 'loop');
    symlinkSync(loop, loop);
    service.objects.locate = async (key) => (await locate(key)) && { path: loop };
    const broken = await service.ask(urls.medium);
    expect([broken.status, broken.body.code]).toEqual([503, 'io']);
    expect(service.events.at(-1)).toMatchObject({
      type: 'warning',
      message: expect.stringContaining('could not'),
    });
  });

  it('has the address that the settings name', async () => {
    const service = await startService({ publicUrl: 'https://images.example/x' });
    const { body } = await service.upload(PHOTO);
    await service.complete();
    const { urls } = (await service.ask(`/api/v1/images/${body.image_id}/all`)).body;
    expect(urls.medium).toBe(
      `https://images.example/x/storage/photos/processed/medium/${body.image_id}_medium.webp`,
    );
  });

  it('has nothing but outputs, and follows no link', async () => {
    const service = await startService();
    const { body } = await service.upload(PHOTO);
    const { image_id: id } = body;
    const secret = join(service.root, 'secret.webp');
    writeFileSync(secret, 'secret');
    const folder = join(service.storage, 'photos/processed/medium');
    mkdirSync(folder, { recursive: true });
    symlinkSync(secret, join(folder, `${ID}_medium.webp`));
    mkdirSync(join(service.root, 'elsewhere'));
    writeFileSync(join(service.root, 'elsewhere', `${ID}_large.webp`), 'secret');
    symlinkSync(join(service.root, 'elsewhere'), join(service.storage, 'photos/processed/large'));
    writeFileSync(join(folder, 'page.html'), '<html>');
    const paths = [
      ...[`staging/${id}`, `.staged/x`, `photos/processed/medium/${ID}_medium.webp`],
      ...[`photos/processed/large/${ID}_large.webp`, 'photos/processed/medium/page.html'],
      ...['../store.db', '..%2fstore.db', '%2e%2e/store.db', '%2e%2e%2fstore.db', '....//store.db'],
      ...[
        `photos/processed/medium/../medium/${ID}_medium.webp`,
        `photos/processed/medium/${ID}_medium.webp%00`,
      ],
      ...[
        `photos/processed/medium/%00${ID}_medium.webp`,
        'photos/processed/medium',
        '',
        '/',
        '%',
        '%ff',
        '\\..\\store.db',
      ],
      ...[`photos/processed/../${ID}_...webp`, `photos%2fprocessed%2fmedium%2f${ID}_medium.webp`],
      `photos/processed/medium/${'a'.repeat(5_000)}`,
    ];
    for (const path of paths) {
      const { status, body: answer } = await exchange(service.url, [`GET /storage/${path} HTTP/1.1`]);
      expect({ path, isRefused: [400, 404].includes(status), shows: answer.includes('secret') }).toEqual({
        path,
        isRefused: true,
        shows: false,
      });
    }
  });
});
