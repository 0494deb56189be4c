import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openPicture } from '../../src/image/picture.ts';
import type { Variant } from '../../src/model.ts';
import { BUILT_IN } from '../../src/variants/presets.ts';
import { makePlace } from '../place.ts';
import { sha } from '../records.ts';

const PHOTOS = join(import.meta.dirname, '../fixtures/photos');
const LIMITS = { pixels: 268_000_000, allowSvg: false, lenient: false, timeout: 120_000 };
const photos = readdirSync(PHOTOS).filter((name) => name.endsWith('.jpg'));

/** Checksums by the settings of a variant that change bytes. */
async function rendered(photo: string, variants: readonly Variant[]): Promise<Map<string, string>> {
  const picture = await openPicture(join(PHOTOS, photo), LIMITS);
  const place = makePlace();
  const { outputs } = await picture.render(
    variants.map((variant, i) => ({ variant, path: join(place, `${i}`) })),
  );
  return new Map(
    variants.map(({ name: _, ...bytes }, i) => [sha(JSON.stringify(bytes)), outputs[i]!.checksum]),
  );
}

it.each(photos.slice(0, 2))(
  'a variant of %s has the same bytes whichever other variants are rendered',
  async (photo) => {
    const all = new Map<string, string>();
    for (const { variants } of BUILT_IN) {
      for (const set of [variants, ...variants.map((variant) => [variant])]) {
        for (const [settings, checksum] of await rendered(photo, set)) {
          expect(all.get(settings) ?? checksum).toBe(checksum);
          all.set(settings, checksum);
        }
      }
    }
    expect(all.size).toBe(10);
  },
);
