import { beforeAll, describe, expect, it } from 'vitest';
import { asImgtoolError } from '../../src/errors.ts';
import { random } from '../random.ts';
import { difference, encoded, exact, LIMITS, type Raw, rendered, rgb, scratch, variant } from './pictures.ts';

const folder = scratch();
const [WIDTH, HEIGHT] = [300, 240];
const PARTS = [0.3, 0.6, 0.9, 0.99];
/** Full size, and a small size that decoders scale down to by themselves. */
const VARIANTS = [exact(), variant({ width: 37, format: 'png' })];

/** A gradient with noise, which makes a file of at least 20 kB in every format. */
function noisy(): Raw {
  const next = random(7);
  const data = Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % WIDTH, Math.floor(i / 3 / WIDTH)];
    return Math.min(255, x / 3 + y / 4 + next() * 90);
  });
  return { data, width: WIDTH, height: HEIGHT };
}

const picture = () => encoded(noisy());
/** With noise as transparency. */
const seeThrough = () =>
  picture().joinChannel(Buffer.from(noisy().data.filter((_, i) => i % 3 === 0)), {
    raw: { width: WIDTH, height: HEIGHT, channels: 1 },
  });

const FIXTURES = {
  'JPEG, baseline': () => picture().jpeg({ quality: 90 }),
  'JPEG, progressive': () => picture().jpeg({ quality: 90, progressive: true }),
  'PNG, plain': () => picture().png(),
  'PNG, interlaced': () => picture().png({ progressive: true }),
  'PNG, 16-bit': () => picture().toColourspace('rgb16').png(),
  'PNG, palette': () => picture().png({ palette: true }),
  'WebP, lossy': () => picture().webp({ quality: 95 }),
  'WebP, lossless': () => picture().webp({ lossless: true }),
  'WebP, lossy with alpha': () => seeThrough().webp({ quality: 95 }),
  'WebP, lossless with alpha': () => seeThrough().webp({ lossless: true }),
  GIF: () => picture().gif(),
  AVIF: () => picture().avif({ quality: 90, effort: 0 }),
  'AVIF with alpha': () => seeThrough().avif({ quality: 90, effort: 0 }),
};
type Name = keyof typeof FIXTURES;
const NAMES = Object.keys(FIXTURES) as Name[];

const files = new Map<Name, Buffer>();
beforeAll(async () => {
  for (const name of NAMES) files.set(name, await FIXTURES[name]().toBuffer());
});

/** The result for a file: its error code, or whether it counts as damaged. */
async function outcome(bytes: Buffer, lenient: boolean): Promise<string> {
  try {
    const { result } = await rendered(folder, bytes, VARIANTS, { ...LIMITS, lenient });
    return result.degraded ? 'degraded' : 'completed';
  } catch (error) {
    return asImgtoolError(error).code;
  }
}

async function outcomes(name: Name, damage: (whole: Buffer, at: number) => Buffer, lenient: boolean) {
  const whole = files.get(name)!;
  return Promise.all(PARTS.map((part) => outcome(damage(whole, Math.floor(whole.length * part)), lenient)));
}

const cut = (whole: Buffer, at: number): Buffer => whole.subarray(0, at);
const zeroed = (whole: Buffer, at: number): Buffer => Buffer.from(whole).fill(0, at);

describe('a picture truncated at 30, 60, 90 or 99 % of its length', () => {
  it.each(NAMES)('is refused, and the complete one is read: %s', async (name) => {
    expect(files.get(name)!.length).toBeGreaterThan(20_000);
    expect(await outcome(files.get(name)!, false)).toBe('completed');
    expect(await outcomes(name, cut, false)).toEqual(Array(4).fill('corrupt'));
  });

  // WebP, AVIF and interlaced PNGs are read completely or not at all.
  it.each<[Name, string]>([
    ['JPEG, baseline', 'degraded'],
    ['JPEG, progressive', 'degraded'],
    ['PNG, plain', 'degraded'],
    ['PNG, interlaced', 'corrupt'],
    ['PNG, 16-bit', 'degraded'],
    ['PNG, palette', 'degraded'],
    ['WebP, lossy', 'corrupt'],
    ['WebP, lossless', 'corrupt'],
    ['WebP, lossy with alpha', 'corrupt'],
    ['WebP, lossless with alpha', 'corrupt'],
    ['AVIF', 'corrupt'],
    ['AVIF with alpha', 'corrupt'],
  ])('has this result with lenient: %s %s', async (name, expected) => {
    expect(await outcomes(name, cut, true)).toEqual(Array(4).fill(expected));
  });

  it('is degraded or refused with lenient: GIF', async () => {
    for (const found of await outcomes('GIF', cut, true)) expect(['degraded', 'corrupt']).toContain(found);
  });
});

describe('a picture with zeros in place of its end', () => {
  // WebP has no checksum, and its decoder reads zeros as pixels: no decoder can detect this.
  it.each(NAMES.filter((name) => !name.startsWith('WebP')))('is refused: %s', async (name) => {
    expect(await outcomes(name, zeroed, false)).toEqual(Array(4).fill('corrupt'));
  });

  it.each(NAMES.filter((name) => !name.startsWith('WebP')))(
    'is degraded or refused with lenient: %s',
    async (name) => {
      for (const found of await outcomes(name, zeroed, true))
        expect(['degraded', 'corrupt']).toContain(found);
    },
  );
});

describe('a JPEG with a few bad bytes inside', () => {
  // djpeg finds 272 and 134 bytes left over after the last pixel of the second and third, and nothing in the first.
  it.each([
    [1, false],
    [2, true],
    [3, true],
  ])(
    'is accepted, looks like the sound one, and is marked if djpeg warns of it: %i %s',
    async (seed, warned) => {
      const whole = files.get('JPEG, baseline')!;
      const [damaged, next] = [Buffer.from(whole), random(seed)];
      // Near the end of the scan, most of the picture is unchanged. The bytes neither create nor destroy a marker.
      for (let done = 0; done < 3; ) {
        const at = Math.floor(whole.length * (0.9 + next() * 0.08));
        if (whole[at] === 0xff || whole[at - 1] === 0xff) continue;
        damaged[at] = whole[at]! ^ 0x15;
        done++;
      }
      const [one, other] = [
        await rendered(folder, whole, [exact()]),
        await rendered(folder, damaged, [exact()]),
      ];
      expect([one.result.degraded, other.result.degraded]).toEqual([false, warned]);
      const found = difference(await rgb(one.bytes[0]!), await rgb(other.bytes[0]!));
      expect(found).toBeGreaterThan(0);
      expect(found).toBeLessThan(10);
    },
  );

  it('is not marked for stray bytes between the segments of its header', async () => {
    const whole = files.get('JPEG, baseline')!;
    const frame = whole.indexOf(Buffer.from([0xff, 0xc0]));
    const stray = Buffer.concat([whole.subarray(0, frame), Buffer.alloc(2), whole.subarray(frame)]);
    const [one, other] = [await rendered(folder, whole, [exact()]), await rendered(folder, stray, [exact()])];
    expect(other.result.degraded).toBe(false);
    expect(other.bytes[0]).toEqual(one.bytes[0]);
  });
});
