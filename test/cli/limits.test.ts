import { rmSync } from 'node:fs';
import sharp from 'sharp';
import { beforeEach, describe, expect, it } from 'vitest';
import { countsOf, eventsOf, finishedOf, jobOf, openPlace, type Place } from './imgtool.ts';
import { hashOf } from './pictures.ts';

let place: Place;
beforeEach(() => {
  place = openPlace();
});

const plain = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: '#336699' }, limitInputPixels: false });

describe('the default pixel limit', () => {
  it('lets a 108-megapixel photograph through', async () => {
    place.put('photos/phone.jpg', await plain(12_000, 9_000).jpeg().toBuffer());
    const outcome = await place.run(['process', '--json', '--preset', 'web', '--out', 'out', 'photos']);
    expect([outcome.code, countsOf(outcome)], outcome.stderr).toEqual([0, { completed: 1 }]);
    expect(jobOf(outcome, 'photos/phone.jpg')).toMatchObject({ width: 12_000, height: 9_000 });
    expect(place.files('out')).toEqual(['phone_large.webp', 'phone_medium.webp', 'phone_thumbnail.webp']);
  });

  it('ends at 268,000,000', async () => {
    place.put('photos/over.png', await plain(26_800, 10_001).png().toBuffer());
    const outcome = await place.run(['process', '--json', '--out', 'out', 'photos']);
    expect(jobOf(outcome, 'photos/over.png').error).toMatchObject({
      code: 'too_large',
      message: '26,800 x 10,001 px is over the limit of 268 Mpx',
    });
  });
});

describe('a PNG that is too short for the size in its header', () => {
  /** The signature, a header for 786,464 x 32 px with its checksum, and an empty chunk of pixels. */
  const claim = Buffer.from(
    '89504e470d0a1a0a' + '0000000d49484452000c0020000000200802000000f912a022' + '0000000049444154',
    'hex',
  );

  it('is refused before any decoding, and the error names its bytes and the bytes needed', async () => {
    place.put('photos/claim.png', claim);
    expect(claim).toHaveLength(41);
    const outcome = await place.process();
    expect([outcome.code, countsOf(outcome)]).toEqual([1, { failed: 1 }]);
    const { error, ms } = jobOf(outcome, 'photos/claim.png');
    expect(error).toEqual({
      code: 'corrupt',
      message:
        'the picture is damaged or cut short ' +
        '(786,464 x 32 px take at least 73,160 bytes of compressed pixels, and it holds 0)',
      fix: 'copy the file again',
    });
    expect(ms?.decode ?? 0).toBe(0);
    expect(outcome.stderr).toContain(`error: photos/claim.png: ${error?.message}`);
  });
});

describe('a variant that exceeds the size limit of its format', () => {
  const TALL = 'photos/tall.png';
  const process = () => place.run(['process', '--json', '--preset', 'web', '--out', 'out', 'photos']);

  it('is scaled down with a warning, the others are rendered, and the next run finds nothing to do', async () => {
    place.put(TALL, await plain(1080, 20_000).png().toBuffer());
    const outcome = await process();
    expect([outcome.code, countsOf(outcome)], outcome.stderr).toEqual([0, { completed: 1 }]);
    const made = jobOf(outcome, TALL).outputs?.map(({ variant, width, height }) => [variant, width, height]);
    expect(made).toEqual([
      ['thumbnail', 150, 2778],
      ['medium', 600, 11_111],
      // 1080 * 16383 / 20000 = 884.7
      ['large', 885, 16_383],
    ]);
    const warnings = eventsOf(outcome).filter((event) => event.type === 'warning');
    const message = `${TALL}: variant large is 885 x 16,383 px instead of 1,080 x 20,000 px, which webp cannot hold`;
    expect(warnings).toMatchObject([{ message, fix: expect.stringContaining('another format') }]);
    expect(outcome.stderr).toContain(`warning: ${message}`);
    const again = await process();
    expect([again.code, countsOf(again)]).toEqual([0, { unchanged: 1 }]);
    expect((await place.run(['verify', finishedOf(outcome).batch])).code).toBe(0);
  });

  it('gives the same result if it is the only variant', async () => {
    place.put(TALL, await plain(1080, 20_000).png().toBuffer());
    await process();
    const before = hashOf(place.at('out/tall_large.webp'));
    rmSync(place.at('out/tall_large.webp'));
    const outcome = await process();
    expect(countsOf(outcome)).toEqual({ completed: 1 });
    expect(hashOf(place.at('out/tall_large.webp'))).toEqual(before);
  });
});
