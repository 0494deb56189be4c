import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Limits, RenderProgress, Variant } from '../../src/model.ts';
import type { Opened, Renderer } from '../../src/ports.ts';
import { LIMITS, named, sha256, variant } from '../image/pictures.ts';
import { rendererBoundsContract } from './renderer-bounds.ts';

/** The contract of every renderer. `make` creates a renderer for `size` pictures at a time. */
export function rendererContract(make: (size: number) => Renderer): void {
  rendererBoundsContract(make);

  describe('a renderer', () => {
    let folder: string;
    let renderer: Renderer;
    let photo: string;

    beforeEach(async () => {
      folder = realpathSync(mkdtempSync(join(tmpdir(), 'imgtool-renderer-')));
      photo = join(folder, 'photo.jpg');
      await sharp({ create: { width: 300, height: 200, channels: 3, background: '#336699' } })
        .jpeg()
        .toFile(photo);
      renderer = make(2);
    });

    afterEach(async () => {
      await renderer.close();
      rmSync(folder, { recursive: true });
    });

    it('returns the facts, digest, format and size of an opened picture', async () => {
      const opened = await renderer.open(named(photo), LIMITS);
      const digest = sha256(readFileSync(photo));
      expect(opened).toMatchObject({ digest, format: 'jpeg', width: 300, height: 200 });
      expect(opened.facts.size).toBe(readFileSync(photo).length);
      expect(opened.ms).toBeGreaterThan(0);
      opened.close();
    });

    it('estimates the memory of a picture by the requested variants', async () => {
      const memory = async (...variants: Variant[]): Promise<number> => {
        const opened = await renderer.open(named(photo), LIMITS, variants);
        opened.close();
        return opened.memory;
      };
      const small = await memory(variant({ width: 30 }));
      expect(Number.isInteger(small)).toBe(true);
      expect(small).toBeGreaterThan(readFileSync(photo).length);
      expect(small).toBeLessThan(await memory(variant({ format: 'avif' }), variant({ width: 30 })));
    });

    it('reports the finished outputs of a picture that takes long, and none of other requests', async () => {
      const noise = { type: 'gaussian', mean: 128, sigma: 60 } as const;
      await sharp({ create: { width: 1200, height: 900, channels: 3, background: '#336699', noise } })
        .jpeg()
        .toFile(photo);
      const opened = await renderer.open(named(photo), LIMITS);
      const orders = [30, 1200].map((width) => {
        return { variant: variant({ width, format: 'avif' }), path: join(folder, `${width}.tmp`) };
      });
      const reports: RenderProgress[] = [];
      await opened.render(orders, (made) => reports.push(made));
      const most = reports.length;
      expect(reports.at(-1)).toEqual({ done: 2, share: 1 });
      expect(most).toBeLessThanOrEqual(2);
      await opened.render([{ ...orders[1]!, path: join(folder, 'again.tmp') }]);
      opened.close();
      expect(reports).toHaveLength(most);
    });

    it('finds its own outputs clean on inspection', async () => {
      const path = join(folder, 'a.tmp');
      const opened = await renderer.open(named(photo), LIMITS);
      await opened.render([{ variant: variant({ width: 30 }), path }]);
      opened.close();
      const inspected = await renderer.inspect(path, 10_000);
      const checksum = sha256(readFileSync(path));
      expect(inspected).toMatchObject({ format: 'webp', checksum, width: 30, height: 20, metadata: [] });
    });

    it('names the metadata of a stored picture', async () => {
      const photograph = sharp(photo)
        .withExif({ IFD0: { Copyright: 'somebody' } })
        .withIccProfile('p3');
      writeFileSync(photo, await photograph.jpeg().toBuffer());
      expect((await renderer.inspect(photo, 10_000)).metadata).toEqual(['exif', 'icc']);
    });

    it('digests files in order, whatever they contain, and returns nothing for other paths', async () => {
      writeFileSync(join(folder, 'text'), 'no picture');
      writeFileSync(join(folder, 'empty'), '');
      const paths = ['text', 'nowhere', 'photo.jpg', '.', 'empty'].map((name) => join(folder, name));
      const [text, nowhere, picture, self, empty] = await renderer.digest(paths.map(named), 10_000);
      const opened = await renderer.open(named(photo), LIMITS);
      opened.close();
      expect(picture).toEqual({ facts: opened.facts, digest: opened.digest });
      expect(text).toMatchObject({ facts: { size: 10 }, digest: sha256(Buffer.from('no picture')) });
      expect(empty).toMatchObject({ facts: { size: 0 }, digest: sha256(Buffer.of()) });
      expect([nowhere, self]).toEqual([null, null]);
    });

    it('digests more files than it has slots, and frees the slots', async () => {
      const all = await Promise.all(
        Array.from({ length: 5 }, () => renderer.digest([named(photo), named(photo)], 10_000)),
      );
      const one = { digest: sha256(readFileSync(photo)) };
      for (const digested of all) expect(digested).toMatchObject([one, one]);
      const opened = await Promise.all([
        renderer.open(named(photo), LIMITS),
        renderer.open(named(photo), LIMITS),
      ]);
      for (const each of opened) each.close();
    });

    it('reports why a stored picture cannot be decoded, and frees the slots', async () => {
      const cut = join(folder, 'cut.jpg');
      writeFileSync(cut, readFileSync(photo).subarray(0, -30));
      writeFileSync(join(folder, 'text'), 'no picture');
      const codes = [
        [cut, 'corrupt'],
        [join(folder, 'text'), 'not_an_image'],
        [join(folder, 'nowhere'), 'source_missing'],
        [folder, 'source_unreadable'],
      ] as const;
      await Promise.all(
        codes.map(async ([path, code]) => {
          await expect(renderer.inspect(path, 10_000), path).rejects.toMatchObject({ code });
        }),
      );
      expect((await renderer.inspect(photo, 10_000)).format).toBe('jpeg');
    });

    it('renders the ordered variants, in that order, into the staged files', async () => {
      const opened = await renderer.open(named(photo), LIMITS);
      const orders = [150, 30].map((width) => ({
        variant: variant({ width }),
        path: join(folder, `${width}.tmp`),
      }));
      const { outputs, dominantColor, degraded, encoder, ms } = await opened.render(orders);
      opened.close();
      expect(outputs.map(({ width, height }) => `${width}x${height}`)).toEqual(['150x100', '30x20']);
      for (const [i, output] of outputs.entries()) {
        const bytes = readFileSync(orders[i]!.path);
        expect(output).toMatchObject({ bytes: bytes.length, checksum: sha256(bytes) });
      }
      expect(dominantColor).toMatch(/^#[0-9a-f]{6}$/);
      expect(degraded).toBe(false);
      expect(encoder).not.toBe('');
      expect(Object.keys(ms).sort()).toEqual(['color', 'decode', 'encode', 'resize', 'write']);
      expect(Object.values(ms).every((time) => time > 0)).toBe(true);
    });

    it('returns the number and duration of its requests by kind', async () => {
      expect(renderer.spent()).toMatchObject({ started: 0, cpu: 0, asked: {} });
      for (const name of ['one', 'two']) {
        const opened = await renderer.open(named(photo), LIMITS);
        if (name === 'two') await opened.render([{ variant: variant(), path: join(folder, 'two.tmp') }]);
        opened.close();
      }
      const { started, cpu, starting, asked } = renderer.spent();
      expect(asked).toMatchObject({ open: { calls: 2 }, render: { calls: 1 } });
      expect([started, cpu, starting, asked.open?.ms, asked.render?.ms].every((n) => Number(n) > 0)).toBe(
        true,
      );
    });

    it('decodes exactly the digested bytes, whatever happens to the file', async () => {
      const opened = await renderer.open(named(photo), LIMITS);
      writeFileSync(photo, 'no picture any more');
      const { outputs } = await opened.render([{ variant: variant(), path: join(folder, 'a.tmp') }]);
      opened.close();
      expect(outputs[0]).toMatchObject({ width: 300, height: 200 });
    });

    it.each([
      ['not_an_image', 'Dear diary', {}],
      ['too_large', null, { pixels: 1000 }],
      ['unsupported_format', '<svg width="1" height="1"></svg>', {}],
    ] as const)('refuses with %s and a way out', async (code, content, limits: Partial<Limits>) => {
      if (content !== null) writeFileSync(photo, content);
      const refused = renderer.open(named(photo), { ...LIMITS, ...limits });
      await expect(refused).rejects.toMatchObject({ code, fix: expect.any(String) });
    });

    it('reports a missing source without its path', async () => {
      const refused = renderer.open(named(join(folder, 'nowhere.jpg')), LIMITS);
      await expect(refused).rejects.toMatchObject({
        code: 'source_missing',
        message: expect.not.stringContaining('nowhere'),
      });
    });

    it('continues after failures, which free their slots', async () => {
      const bad = join(folder, 'bad.jpg');
      writeFileSync(bad, '');
      const attempts = Array.from({ length: 6 }, () => renderer.open(named(bad), LIMITS));
      for (const attempt of await Promise.allSettled(attempts)) expect(attempt.status).toBe('rejected');
      (await renderer.open(named(photo), LIMITS)).close();
    });

    it('can render again after a failed order', async () => {
      const opened = await renderer.open(named(photo), LIMITS);
      const order = { variant: variant(), path: join(folder, 'nowhere', 'a.tmp') };
      await expect(opened.render([order])).rejects.toMatchObject({
        message: expect.stringMatching(/\(variant large\): /),
      });
      expect((await opened.render([{ ...order, path: join(folder, 'a.tmp') }])).outputs).toHaveLength(1);
      opened.close();
    });

    it('never has more open pictures than slots', async () => {
      const held = await Promise.all([
        renderer.open(named(photo), LIMITS),
        renderer.open(named(photo), LIMITS),
      ]);
      let third: Opened | undefined;
      const waiting = renderer.open(named(photo), LIMITS).then((opened) => {
        third = opened;
      });
      await held[1]!.render([{ variant: variant(), path: join(folder, 'a.tmp') }]);
      expect(third).toBeUndefined();
      held[0]!.close();
      held[0]!.close();
      await waiting;
      third?.close();
      held[1]!.close();
    });

    it('rejects open and waiting pictures with `cancelled` when it is killed', async () => {
      const held = await Promise.all([
        renderer.open(named(photo), LIMITS),
        renderer.open(named(photo), LIMITS),
      ]);
      const waiting = renderer.open(named(photo), LIMITS);
      const working = held[0]!.render([
        { variant: variant({ format: 'avif', effort: 9 }), path: join(folder, 'a.tmp') },
      ]);
      renderer.kill();
      for (const each of await Promise.allSettled([waiting, working, renderer.open(named(photo), LIMITS)])) {
        expect(each).toMatchObject({ status: 'rejected', reason: { code: 'cancelled' } });
      }
      for (const opened of held) opened.close();
    });

    it('can be closed twice, and leaves only the ordered files', async () => {
      const opened = await renderer.open(named(photo), LIMITS);
      await opened.render([{ variant: variant(), path: join(folder, 'a.tmp') }]);
      opened.close();
      await renderer.close();
      await renderer.close();
      expect(readdirSync(folder).sort()).toEqual(['a.tmp', 'photo.jpg']);
    });
  });
}
