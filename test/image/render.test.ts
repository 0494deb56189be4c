import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { openPicture } from '../../src/image/picture.ts';
import { FORMATS } from '../../src/variants/formats.ts';
import {
  colour,
  difference,
  encoded,
  exact,
  file,
  LIMITS,
  lopsided,
  near,
  plain,
  rendered,
  rgb,
  scratch,
  sha256,
  variant,
} from './pictures.ts';

const folder = scratch();

describe('sizes', () => {
  it.each([
    [1, 1],
    [1, 5000],
    [333, 77],
  ])('of %i x %i are never scaled up', async (width, height) => {
    const source = await plain(width, height, '#123456').png().toBuffer();
    const formats = FORMATS.map((format) => variant({ format, effort: 1 }));
    const { result } = await rendered(folder, source, formats);
    expect(result.outputs.map((output) => [output.width, output.height])).toEqual(
      formats.map(() => [width, height]),
    );
    expect(result.dominantColor).toBe('#123456');
  });

  it('of a cover box follow the requested position', async () => {
    const left = await plain(100, 100, '#ff0000').png().toBuffer();
    const source = await plain(300, 100, '#0000ff')
      .composite([{ input: left, gravity: 'west' }])
      .png()
      .toBuffer();
    const at = (position: 'left' | 'right' | 'attention') =>
      exact({ width: 50, height: 50, fit: 'cover', position });
    const { bytes } = await rendered(folder, source, [at('left'), at('right'), at('attention')]);
    expect(await colour(bytes[0]!)).toEqual(near([255, 0, 0]));
    expect(await colour(bytes[1]!)).toEqual(near([0, 0, 255]));
    expect(await sharp(bytes[2]).metadata()).toMatchObject({ width: 50, height: 50 });
  });

  it('beyond a format’s limit are scaled down, and the requested size is reported', async () => {
    const source = await plain(20, 20_000, '#123456').png().toBuffer();
    const variants = [variant(), variant({ width: 10 }), variant({ format: 'jpeg' })];
    const { result, bytes } = await rendered(folder, source, variants);
    expect(result.outputs.map(({ width, height, asked }) => [width, height, asked])).toEqual([
      [16, 16_383, { width: 20, height: 20_000 }],
      [10, 10_000, undefined],
      [20, 20_000, undefined],
    ]);
    expect(await sharp(bytes[0], { limitInputPixels: false }).metadata()).toMatchObject({ height: 16_383 });
    const alone = await rendered(folder, source, [variant()]);
    expect(alone.result.outputs[0]?.checksum).toBe(result.outputs[0]?.checksum);
  });

  it('beyond a format’s limit do not affect other variants', async () => {
    const source = await plain(20, 20_000, '#123456').png().toBuffer();
    const small = variant({ width: 10 });
    const [together, alone] = [
      await rendered(folder, source, [variant(), small]),
      await rendered(folder, source, [small]),
    ];
    expect(together.result.outputs[1]).toEqual(alone.result.outputs[0]);
  });

  it('over the limit of pixels are refused when the header is read', async () => {
    const path = file(folder, await plain(64, 64, '#123456').png().toBuffer());
    await expect(openPicture(path, { ...LIMITS, pixels: 4095 })).rejects.toMatchObject({ code: 'too_large' });
    await expect(openPicture(path, { ...LIMITS, pixels: 4096 })).resolves.toBeDefined();
  });

  it('of an animation are those of its first frame, and the limit applies to that frame', async () => {
    const frames = await Promise.all(
      ['#ff0000', '#0000ff'].map((each) => plain(30, 20, each).png().toBuffer()),
    );
    const source = await sharp(frames, { join: { animated: true } })
      .gif()
      .toBuffer();
    const { picture, bytes } = await rendered(folder, source, [exact()], { ...LIMITS, pixels: 600 });
    expect(picture).toMatchObject({ width: 30, height: 20, format: 'gif' });
    expect(await colour(bytes[0]!)).toEqual(near([255, 0, 0]));
  });
});

describe('an output', () => {
  it('matches its checksum and its facts', async () => {
    const { bytes, result } = await rendered(folder, await encoded(lopsided(90, 60)).png().toBuffer(), [
      variant({ width: 30 }),
    ]);
    expect(result.outputs).toEqual([
      { width: 30, height: 20, bytes: bytes[0]!.length, checksum: sha256(bytes[0]!), metadata: null },
    ]);
    expect(result.encoder).toMatch(/^libvips \d+\.\d+\.\d+ webp \d+/);
  });

  it('has the requested format', async () => {
    const formats = FORMATS.map((format) => variant({ format, effort: 1 }));
    const { bytes } = await rendered(folder, await encoded(lopsided(90, 60)).png().toBuffer(), formats);
    const found = await Promise.all(bytes.map(async (each) => (await sharp(each).metadata()).format));
    expect(found).toEqual(['webp', 'jpeg', 'png', 'heif', 'gif', 'tiff']);
  });

  it('is exact when lossless', async () => {
    const picture = lopsided(90, 60);
    const { bytes } = await rendered(folder, await encoded(picture).png().toBuffer(), [
      exact({ format: 'webp' }),
      exact(),
    ]);
    for (const each of bytes) expect(difference(await rgb(each), picture)).toBe(0);
  });

  it('is encoded once for several names when all are equal because nothing is enlarged', async () => {
    const source = await encoded(lopsided(90, 60)).png().toBuffer();
    const wide = (name: string, width: number, more = {}) => variant({ name, width, ...more });
    const both = [wide('large', 1200), wide('medium', 600), wide('grey', 600, { grayscale: true })];
    const many = await rendered(folder, source, both);
    expect(many.bytes[0]).toEqual(many.bytes[1]);
    expect(many.bytes[2]).not.toEqual(many.bytes[1]);
    for (const [i, one] of both.entries()) {
      const alone = await rendered(folder, source, [one]);
      expect(alone.bytes[0]).toEqual(many.bytes[i]);
      expect(alone.result.outputs[0]).toEqual(many.result.outputs[i]);
    }
  });

  it.each([1, 2, 8])('has the same bytes with %i at a time', async (atOnce) => {
    const picture = await openPicture(
      file(folder, await encoded(lopsided(900, 600)).jpeg().toBuffer()),
      LIMITS,
    );
    const variants = [600, 300, 150, 75].map((width) => variant({ name: `w${width}`, width }));
    const orders = (way: string) =>
      variants.map((one) => ({ variant: one, path: join(folder, `${way}-${atOnce}-${one.name}`) }));
    const [some, all] = [orders('some'), orders('all')];
    const { outputs } = await picture.render(some, atOnce);
    await picture.render(all);
    expect(outputs.map(({ width }) => width)).toEqual([600, 300, 150, 75]);
    for (const [i, { path }] of some.entries())
      expect(readFileSync(path)).toEqual(readFileSync(all[i]!.path));
  });

  it('is not written any more after the write of another fails', async () => {
    const picture = await openPicture(
      file(folder, await encoded(lopsided(900, 600)).jpeg().toBuffer()),
      LIMITS,
    );
    const paths = ['first', 'second', 'third'].map((name) => join(folder, `given-up-${name}`));
    const variants = [600, 300, 150].map((width) => variant({ name: `w${width}`, width }));
    writeFileSync(paths[1]!, 'mine');
    const orders = variants.map((one, i) => ({ variant: one, path: paths[i]! }));
    await expect(picture.render(orders, 1)).rejects.toMatchObject({ code: 'io' });
    expect(paths.map((path) => existsSync(path))).toEqual([true, true, false]);
    expect(readFileSync(paths[1]!, 'utf8')).toBe('mine');
  });

  it('never replaces an existing file', async () => {
    const picture = await openPicture(file(folder, await plain(9, 9, '#123456').png().toBuffer()), LIMITS);
    const taken = file(folder, 'mine');
    await expect(picture.render([{ variant: variant(), path: taken }])).rejects.toMatchObject({ code: 'io' });
  });

  it('causes an error that names the variant when the folder is missing or not writable', async () => {
    const picture = await openPicture(file(folder, await plain(9, 9, '#123456').png().toBuffer()), LIMITS);
    const path = join(folder, 'nowhere', 'a.tmp');
    await expect(picture.render([{ variant: variant(), path }])).rejects.toThrow(
      /nowhere \(variant large\): /,
    );
    expect(existsSync(path)).toBe(false);
  });
});

describe('a sharpened variant', () => {
  it('differs from the unsharpened one and keeps its size', async () => {
    const source = await encoded(lopsided(200, 100)).png().toBuffer();
    const { bytes } = await rendered(folder, source, [
      exact({ width: 80 }),
      exact({ width: 80, sharpen: true }),
    ]);
    const [soft, sharpened] = await Promise.all(bytes.map((each) => rgb(each)));
    expect([sharpened!.width, sharpened!.height]).toEqual([80, 40]);
    expect(difference(soft!, sharpened!)).toBeGreaterThan(0.01);
  });
});

describe('a damaged picture', () => {
  const cut = async () => {
    const whole = await encoded(lopsided(300, 200)).jpeg().toBuffer();
    return whole.subarray(0, Math.floor(whole.length / 2));
  };

  it('is refused with a clear message', async () => {
    await expect(rendered(folder, await cut(), [variant()])).rejects.toMatchObject({
      code: 'corrupt',
      message: 'the picture is damaged or cut short (VipsJpeg: premature end of JPEG image)',
      fix: 'copy the file again, or accept what can be read with {{lenient}}',
    });
  });

  it('is read in part with lenient, and marked as degraded', async () => {
    const { result } = await rendered(folder, await cut(), [variant()], { ...LIMITS, lenient: true });
    expect(result.degraded).toBe(true);
    const sound = await plain(9, 9, '#123456').png().toBuffer();
    expect((await rendered(folder, sound, [variant()], { ...LIMITS, lenient: true })).result.degraded).toBe(
      false,
    );
  });
});

describe('a source too large for memory', () => {
  const source = () => encoded(lopsided(90, 60)).png().toBuffer();

  it.each(['png', 'jpeg', 'webp', 'gif', 'tiff', 'avif'] as const)(
    'is decoded from the disk: %s',
    async (format) => {
      const bytes = await plain(90, 60, '#3366c0').toFormat(format, { quality: 90 }).toBuffer();
      const picture = await openPicture(file(folder, bytes), LIMITS, [], 10);
      const path = join(folder, `on-disk-${format}.tmp`);
      await picture.render([{ variant: exact(), path }]);
      await picture.close();
      expect(await colour(readFileSync(path))).toEqual(near([0x33, 0x66, 0xc0]));
    },
  );

  it('has the same pixels as a source in memory', async () => {
    const picture = await openPicture(file(folder, await source()), LIMITS, [], 10);
    const path = join(folder, 'on-disk.tmp');
    await picture.render([{ variant: exact(), path }]);
    await picture.close();
    expect(difference(await rgb(readFileSync(path)), lopsided(90, 60))).toBe(0);
  });

  it('is refused when it changed after the digest', async () => {
    const changing = file(folder, await source());
    const picture = await openPicture(changing, LIMITS, [], 10);
    writeFileSync(changing, await plain(9, 9, '#123456').png().toBuffer());
    const path = join(folder, 'changed.tmp');
    await expect(picture.render([{ variant: exact(), path }])).rejects.toMatchObject({
      code: 'source_changed',
    });
    await picture.close();
    expect(existsSync(path)).toBe(false);
  });

  it.skipIf(process.platform !== 'linux')('is closed when it is not a picture', async () => {
    const path = file(folder, 'no picture at all');
    await expect(openPicture(path, LIMITS, [], 1)).rejects.toMatchObject({ code: 'not_an_image' });
    const open = readdirSync('/proc/self/fd').map((fd) => linkOf(`/proc/self/fd/${fd}`));
    expect(open).not.toContain(path);
  });
});

/** The target of a link; null when the link is gone. */
function linkOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

describe('a HEIF container', () => {
  it('is read as AVIF when it contains AV1', async () => {
    const source = await plain(20, 20, '#4080a0').avif({ lossless: true }).toBuffer();
    source.write('mif1', 8, 'latin1');
    const { picture, bytes } = await rendered(folder, source, [exact()]);
    expect(picture.format).toBe('avif');
    expect(await colour(bytes[0]!)).toEqual(near([64, 128, 160]));
  });
});

describe('an SVG', () => {
  const drawing = Buffer.from(
    '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><rect width="40" height="20" fill="#00f"/></svg>',
  );

  it('is read at its own size when allowed', async () => {
    const { picture, bytes } = await rendered(folder, drawing, [exact()], { ...LIMITS, allowSvg: true });
    expect(picture).toMatchObject({ format: 'svg', width: 40, height: 20 });
    expect(await colour(bytes[0]!)).toEqual(near([0, 0, 255]));
  });

  it('is refused when not allowed, whatever its name', async () => {
    await expect(openPicture(file(folder, drawing, 'drawing.jpg'), LIMITS)).rejects.toMatchObject({
      code: 'unsupported_format',
    });
  });
});
