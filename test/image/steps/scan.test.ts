import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { random } from '../../random.ts';
import { jpegOf } from '../jpegs.ts';
import { exact, LIMITS, rendered, scratch, variant } from '../pictures.ts';

const folder = scratch();

/** Full size, and a small size that the decoder scales down to by itself. */
const SIZES = {
  'at full size': exact(),
  'scaled down by the decoder': variant({ width: 40, format: 'png' }),
};

interface Kind {
  readonly width?: number;
  readonly height?: number;
  readonly channels?: 1 | 3;
  readonly chromaSubsampling?: '4:2:0' | '4:4:4';
  readonly optimiseCoding?: boolean;
  readonly quality?: number;
}

/** A baseline JPEG of noise. */
function baseline(seed: number, kind: Kind = {}): Promise<Buffer> {
  const { width = 320, height = 240, channels = 3, ...options } = kind;
  const next = random(seed);
  const data = Uint8Array.from(
    { length: width * height * channels },
    (_, i) => (i % width) / 4 + next() * 60,
  );
  return sharp(data, { raw: { width, height, channels } }).jpeg(options).toBuffer();
}

const KINDS: Record<string, Kind> = {
  'with halved colours': {},
  'with full colours': { chromaSubsampling: '4:4:4', quality: 95 },
  'of grey pixels': { channels: 1 },
  'with standard codes': { optimiseCoding: false },
  'of odd sides': { width: 357, height: 211 },
};

const START_OF_SCAN = Buffer.from([0xff, 0xda]);

/** The JPEG with `bytes` in place of those from `from` to `to`, counted from its end marker. */
const spliced = (whole: Buffer, from: number, to: number, bytes: readonly number[]): Buffer => {
  const end = whole.length - 2;
  return Buffer.concat([whole.subarray(0, end + from), Buffer.from(bytes), whole.subarray(end + to)]);
};

async function isDegraded(bytes: Buffer, size = exact(), limits = LIMITS): Promise<boolean> {
  return (await rendered(folder, bytes, [size], limits)).result.degraded;
}

/** Bytes that are neither a marker nor padding. The decoder may have read up to 8 bytes ahead without a need for them. */
const stray = (count: number): number[] => Array.from({ length: count }, (_, i) => 0x35 + (i % 100));

describe.each(Object.entries(KINDS))('a baseline JPEG %s', (_, kind) => {
  let whole: Buffer;
  beforeAll(async () => {
    whole = await baseline(1, kind);
  });

  describe.each(Object.entries(SIZES))('%s', (_, size) => {
    it('is not marked when it is sound, whatever its last bits are', async () => {
      // Each picture ends at another bit.
      for (let seed = 1; seed <= 8; seed++)
        expect(await isDegraded(await baseline(seed, kind), size)).toBe(false);
    });

    it.each([9, 40, 5_000])('is marked when %i bytes are left over after its last pixel', async (count) => {
      const longer = spliced(whole, 0, 0, stray(count));
      expect(await isDegraded(longer, size)).toBe(true);
      expect(await isDegraded(longer, size, { ...LIMITS, lenient: true })).toBe(true);
    });

    it.each([2, 9, 40])(
      'is marked when its last %i bytes are missing before the end marker',
      async (count) => {
        expect(await isDegraded(spliced(whole, -count, 0, []), size)).toBe(true);
      },
    );

    it('is marked when wrong bytes in its middle change the place of its last pixel', async () => {
      const damaged = Buffer.from(whole);
      const scan = whole.indexOf(START_OF_SCAN);
      // Long codes in place of short ones: blocks get fewer bytes.
      damaged
        .fill(0x5a, scan + Math.floor((whole.length - scan) / 2))
        .set(whole.subarray(-40), whole.length - 40);
      expect(await isDegraded(damaged, size)).toBe(true);
    });
  });
});

describe('the end of a sound baseline JPEG', () => {
  it('may be followed by another picture, or by other bytes', async () => {
    const [whole, other] = [await baseline(2), await baseline(3)];
    for (const tail of [other, Buffer.from('kept by a camera'), Buffer.alloc(40)]) {
      expect(await isDegraded(Buffer.concat([whole, tail]))).toBe(false);
    }
  });

  it.each([
    ['zeros', Array<number>(7).fill(0)],
    ['fill bytes', Array<number>(3).fill(0xff)],
  ])('may be filled up with %s', async (_, padding) => {
    for (let seed = 1; seed <= 4; seed++) {
      expect(await isDegraded(spliced(await baseline(seed), 0, 0, padding))).toBe(false);
    }
  });

  it('is decoded to the same pixels as by a decoder that reads the whole file', async () => {
    for (const kind of Object.values(KINDS)) {
      const whole = await baseline(4, kind);
      const { bytes } = await rendered(folder, whole, [exact()]);
      const [ours, theirs] = await Promise.all(
        [bytes[0]!, whole].map((each) => sharp(each).toColourspace('srgb').raw().toBuffer()),
      );
      expect(ours!.equals(theirs!)).toBe(true);
    }
  });

  it('may be zeros, as in a picture of one colour', async () => {
    for (const width of [8, 16, 64, 400]) expect(await isDegraded(jpegOf({ width }))).toBe(false);
  });
});
