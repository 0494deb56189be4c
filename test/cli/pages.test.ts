import sharp from 'sharp';
import { beforeEach, describe, expect, it } from 'vitest';
import { finishedOf, jobsOf, openPlace, type Place, SMALL } from './imgtool.ts';
import { picture, putOld } from './pictures.ts';
import { hasTerminal, onTerminal } from './terminal.ts';

const FRAMES = '2 animations: still outputs have the first frame';
const PAGES = '1 multi-page TIFF: first page only';

let place: Place;
beforeEach(async () => {
  place = openPlace();
  const stills = await Promise.all([1, 2, 3].map((seed) => picture({ seed, format: 'png' })));
  const pages = sharp(stills, { join: { animated: true } });
  putOld(place.at('photos/a.gif'), await pages.clone().gif().toBuffer());
  putOld(place.at('photos/b.webp'), await pages.clone().webp().toBuffer());
  putOld(place.at('photos/c.tif'), await pages.clone().tiff().toBuffer());
  putOld(place.at('photos/still.jpg'), await picture());
});

/** Beside outputs that are animations, one that is not. */
const STILL = ['--variant', 'still:w=40,format=jpeg'];
const args = (...more: string[]) => ['process', ...SMALL, ...STILL, '--out', 'out', ...more, 'photos'];

describe('animations and documents of several pages', () => {
  it('are counted in the summary, and a run that renders nothing does not repeat it', async () => {
    const { stderr, code } = await place.run(args());
    expect(code).toBe(0);
    expect(stderr).toContain(`imgtool: ${FRAMES}\nimgtool: ${PAGES}\n`);
    const again = await place.run(args());
    expect(again.stderr).toContain('unchanged=4');
    expect(again.stderr).not.toContain('first');
  });

  it.skipIf(!hasTerminal)('are counted in the summary on a terminal', async () => {
    const { stdout } = await place.run(args(), onTerminal());
    expect(stdout).toContain(FRAMES);
    expect(stdout).toContain(PAGES);
  });

  it('are counted by a dry run', async () => {
    const { stderr, code } = await place.run(args('--dry-run'));
    expect(code).toBe(0);
    expect(stderr).toContain(`imgtool: ${FRAMES}\nimgtool: ${PAGES}\n`);
  });

  it('have `pages` in JSON, also where nothing is rendered', async () => {
    const expected = [
      ['photos/a.gif', 'gif', 3],
      ['photos/b.webp', 'webp', 3],
      ['photos/c.tif', 'tiff', 3],
      ['photos/still.jpg', 'jpeg', undefined],
    ];
    for (let run = 0; run < 2; run++) {
      const outcome = await place.process(...SMALL, ...STILL);
      const jobs = jobsOf(outcome).map(({ source, format, pages }) => [source, format, pages]);
      expect(jobs.sort()).toEqual(expected);
    }
  });

  it('have `pages` in each output that is an animation, and `firstOnly` where one is not', async () => {
    for (const actions of ['rendered', 'kept']) {
      const jobs = jobsOf(await place.process(...SMALL, ...STILL));
      const gif = jobs.find(({ source }) => source === 'photos/a.gif')!;
      expect(gif).toMatchObject({ pages: 3, firstOnly: true });
      expect(gif.outputs!.map(({ format, pages, action }) => [format, pages, action])).toEqual([
        ['webp', 3, actions],
        ['webp', 3, actions],
        ['jpeg', undefined, actions],
      ]);
      expect(jobs.find(({ format }) => format === 'jpeg')).not.toHaveProperty('firstOnly');
    }
    expect((await place.run(['verify'])).stdout).toContain('all in order');
  });

  it('are counted and marked by `status`, and have `pages` in its JSON', async () => {
    const { batch } = finishedOf(await place.process(...SMALL, ...STILL));
    const { stdout } = await place.run(['status', batch, '--all']);
    expect(stdout).toContain(`  aside    ${FRAMES}\n  aside    ${PAGES}\n`);
    expect(stdout).toContain('/photos/a.gif (3 frames, 1 output has the first)\n');
    expect(stdout).toContain('/photos/c.tif (first of 3 pages)\n');
    expect(stdout).toMatch(/still\.jpg$/m);
    const { jobs } = await place.status(batch, '--all');
    expect(jobs.map(({ format, pages }) => [format, pages])).toEqual([
      ['gif', 3],
      ['webp', 3],
      ['tiff', 3],
      ['jpeg', undefined],
    ]);
  });

  it('are named with the pages that variants ask for', async () => {
    const pages = ['--variant', 'c:page=3', '--variant', 'a:page=1'];
    const only = ['--include', '*.tif', '--out', 'out'];
    const { stderr, code } = await place.run(['process', ...pages, ...only, 'photos']);
    expect([code, stderr]).toEqual([
      0,
      expect.stringContaining('imgtool: 1 multi-page TIFF: pages 1 and 3\n'),
    ]);
    const foreseen = await place.run(['process', '--variant', 'b:page=2', ...only, '--dry-run', 'photos']);
    expect(foreseen.stderr).toContain('imgtool: 1 multi-page TIFF: page 2\n');
    const last = await place.run(['status', 'last', '--all']);
    expect(last.stdout).toContain('  aside    1 multi-page TIFF: pages 1 and 3\n');
    expect(last.stdout).toContain('/photos/c.tif (pages 1 and 3 of 3)\n');
    const again = await place.run(['process', ...pages, ...only, '--json', 'photos']);
    expect(jobsOf(again)).toMatchObject([{ state: 'unchanged', pages: 3, renderedPages: [1, 3] }]);
  });

  it('are named in the log of a watch', async () => {
    const { stderr } = await place.run(['watch', '--once', ...SMALL, ...STILL, '--out', 'out', 'photos']);
    expect(stderr).toMatch(/completed photos\/a\.gif .* pages=3$/m);
    expect(stderr).toMatch(/completed photos\/still\.jpg (?!.*pages)/m);
  });
});
