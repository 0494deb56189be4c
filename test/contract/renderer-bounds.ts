import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Renderer } from '../../src/ports.ts';
import { LIMITS, named } from '../image/pictures.ts';

/** The contract of every renderer for the folders that a source must stay in. */
export function rendererBoundsContract(make: (size: number) => Renderer): void {
  describe('a source with bounds', () => {
    let folder: string;
    let renderer: Renderer;
    let photo: string;

    beforeEach(async () => {
      folder = realpathSync(mkdtempSync(join(tmpdir(), 'imgtool-renderer-')));
      photo = join(folder, 'photo.jpg');
      await sharp({ create: { width: 300, height: 200, channels: 3, background: '#336699' } })
        .jpeg()
        .toFile(photo);
      // A picture in `root`, and one outside.
      mkdirSync(join(folder, 'root/sub'), { recursive: true });
      mkdirSync(join(folder, 'outside'));
      for (const path of ['root/a.jpg', 'root/sub/b.jpg', 'outside/b.jpg', 'rootless.jpg'])
        writeFileSync(join(folder, path), readFileSync(photo));
      renderer = make(2);
    });

    afterEach(async () => {
      await renderer.close();
      rmSync(folder, { recursive: true });
    });

    const bound = (path: string, follow = false) => ({
      path: join(folder, path),
      bounds: { within: [join(folder, 'root')], follow },
    });
    /** The results of opening and of digesting the picture. */
    const fate = async (source: ReturnType<typeof bound>): Promise<unknown[]> => {
      const opening = renderer.open(source, LIMITS).then(
        (opened) => {
          opened.close();
          return 'opened';
        },
        ({ code }) => code,
      );
      const [digested] = await renderer.digest([source], 10_000);
      return [await opening, digested !== null];
    };
    const READ = ['opened', true];
    const REFUSED = ['source_outside', false];

    it('is read inside its folder', async () => {
      expect(await fate(bound('root/a.jpg'))).toEqual(READ);
      expect(await fate(bound('root/sub/b.jpg', true))).toEqual(READ);
    });

    it('is refused as any link, and read if links are followed and the link stays inside', async () => {
      symlinkSync('a.jpg', join(folder, 'root/inside.jpg'));
      expect(await fate(bound('root/inside.jpg'))).toEqual(REFUSED);
      expect(await fate(bound('root/inside.jpg', true))).toEqual(READ);
    });

    it.each([false, true])('is refused as a link to outside, followed: %s', async (follow) => {
      symlinkSync('../outside/b.jpg', join(folder, 'root/leads-out.jpg'));
      expect(await fate(bound('root/leads-out.jpg', follow))).toEqual(REFUSED);
      symlinkSync('../rootless.jpg', join(folder, 'root/sibling.jpg'));
      expect(await fate(bound('root/sibling.jpg', follow))).toEqual(REFUSED);
    });

    it.each([false, true])(
      'is refused below a folder that is a link to outside, followed: %s',
      async (follow) => {
        rmSync(join(folder, 'root/sub'), { recursive: true });
        symlinkSync('../outside', join(folder, 'root/sub'));
        expect(await fate(bound('root/sub/b.jpg', follow))).toEqual(REFUSED);
      },
    );

    it('is read anywhere without bounds', async () => {
      symlinkSync('../outside/b.jpg', join(folder, 'root/named.jpg'));
      (await renderer.open(named(join(folder, 'root/named.jpg')), LIMITS)).close();
    });

    it('is read in each of the allowed folders', async () => {
      const within = [join(folder, 'root'), join(folder, 'outside')];
      const path = join(folder, 'outside/b.jpg');
      (await renderer.open({ path, bounds: { within, follow: false } }, LIMITS)).close();
    });
  });
}
