import { copyFileSync, cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { shared } from '../image/pictures.ts';
import { countsOf, jobOf, openPlace, type Place } from './imgtool.ts';
import { difference } from './pictures.ts';

const cases = shared('cases');

let place: Place;
beforeEach(() => {
  place = openPlace();
});

describe.skipIf(cases === null)('in the cases that users reported', () => {
  it.each([[], ['--force']])('the public name of a logo shows the new picture %s', async (...force) => {
    cpSync(join(cases!, 'stale-name/src'), place.at('photos'), { recursive: true });
    expect(countsOf(await place.process())).toEqual({ completed: 1 });
    rmSync(place.at('photos/logo.png'));
    copyFileSync(join(cases!, 'stale-name/new-logo.jpg'), place.at('photos/logo.jpg'));
    expect(countsOf(await place.process(...force))).toEqual({ completed: 1 });
    expect(place.files('out')).toEqual(['logo_a.webp', 'logo_b.webp']);
    const distanceTo = (source: string) => difference(place.at('out/logo_a.webp'), source);
    const former = await distanceTo(join(cases!, 'stale-name/src/logo.png'));
    expect(await distanceTo(place.at('photos/logo.jpg'))).toBeLessThan(former / 3);
  });

  it('the report names an intact picture that no decoder reads, without useless advice', async () => {
    mkdirSync(place.at('photos'));
    for (const name of ['12bit.jpg', 'lab8.tif', 'zstd.tif']) {
      copyFileSync(join(cases!, 'unsupported-called-damaged', name), place.at('photos', name));
    }
    const outcome = await place.process();
    expect(countsOf(outcome)).toEqual({ completed: 1, failed: 2 });
    expect(jobOf(outcome, 'photos/lab8.tif').state).toBe('completed');
    for (const [name, what] of [
      ['12bit.jpg', '12-bit JPEG'],
      ['zstd.tif', 'ZSTD'],
    ] as const) {
      const { error } = jobOf(outcome, `photos/${name}`);
      expect(error).toMatchObject({ code: 'unsupported_format', message: expect.stringContaining(what) });
      expect(error?.fix).not.toMatch(/copy|--lenient/);
    }
  });
});
