import { describe, expect, it } from 'vitest';
import { heifKind } from '../../src/image/heif.ts';
import { plain } from './pictures.ts';

function box(type: string, ...content: readonly (Buffer | string)[]): Buffer {
  const inside = Buffer.concat(content.map((each) => Buffer.from(each as string, 'latin1')));
  const header = Buffer.alloc(8);
  header.writeUInt32BE(inside.length + 8);
  header.write(type, 4, 'latin1');
  return Buffer.concat([header, inside]);
}

const ftyp = (...brands: readonly [string, ...string[]]) => box('ftyp', brands[0], '\0\0\0\0', ...brands);

/** The list of items; `primary` is the number of the picture. */
function meta(primary: number, ...types: readonly string[]): Buffer {
  const items = types.map((type, i) => box('infe', `\x02\0\0\0\0${String.fromCharCode(i + 1)}\0\0${type}\0`));
  const count = String.fromCharCode(types.length);
  const pitm = box('pitm', `\0\0\0\0\0${String.fromCharCode(primary)}`);
  return box('meta', '\0\0\0\0', pitm, box('iinf', `\0\0\0\0\0${count}`, ...items));
}

const kindOf = (...parts: readonly Buffer[]) => {
  const kind = heifKind(Buffer.concat(parts));
  return typeof kind === 'object' ? kind.name : kind;
};

describe('a HEIF container', () => {
  it.each([
    ['av01', 'avif'],
    ['hvc1', 'heic'],
    ['avc1', 'HEIF with AVC (H.264)'],
    ['vvc1', 'HEIF with VVC (H.266)'],
    ['evc1', 'HEIF with EVC'],
    ['j2k1', 'HEIF with JPEG 2000'],
    ['jpeg', 'HEIF with JPEG'],
    ['unci', 'HEIF with uncompressed pixels (unci)'],
  ])('has the coding of its picture, whatever its brands are: %s', (type, kind) => {
    expect(kindOf(ftyp('mif1', 'heic', 'miaf'), meta(1, type))).toBe(kind);
    expect(kindOf(ftyp('mif1', 'miaf'), meta(2, 'Exif', type))).toBe(kind);
    // Derived pictures.
    expect(kindOf(ftyp('mif1', 'miaf'), meta(1, 'grid', type, type))).toBe(kind);
  });

  it('has the coding of its primary picture', () => {
    expect(kindOf(ftyp('mif1'), meta(2, 'hvc1', 'av01'))).toBe('avif');
    expect(kindOf(ftyp('mif1'), meta(2, 'av01', 'hvc1'))).toBe('heic');
  });

  it.each([
    ['avif', 'avif'],
    ['avis', 'avif'],
    ['heic', 'heic'],
    ['hevc', 'heic'],
    ['avci', 'HEIF with AVC (H.264)'],
    ['vvic', 'HEIF with VVC (H.266)'],
    ['j2ki', 'HEIF with JPEG 2000'],
    ['jpeg', 'HEIF with JPEG'],
  ] as const)('has the coding of its brand without a list of items: %s', (brand, kind) => {
    expect(kindOf(ftyp(brand, 'mif1'))).toBe(kind);
  });

  it('is not decoded with a minimized header', () => {
    expect(kindOf(ftyp('mif3'), box('mini', '\0'))).toBe('HEIF with a minimized header (mif3)');
  });

  it('is left to the decoder when it is truncated before its coding: another program may still be writing it', () => {
    const whole = Buffer.concat([ftyp('mif1', 'miaf'), meta(1, 'hvc1')]);
    expect(kindOf(whole)).toBe('heic');
    for (let length = ftyp('mif1', 'miaf').length; length < whole.length; length++) {
      expect(kindOf(whole.subarray(0, length))).toBe('avif');
    }
  });

  it('is undefined for the brands of a video', () => {
    expect(kindOf(ftyp('isom', 'iso2', 'mp41'))).toBeUndefined();
    expect(kindOf(Buffer.from('no box at all, but some text'))).toBeUndefined();
  });

  it('is AVIF when sharp writes it', async () => {
    expect(kindOf(await plain(9, 9, '#336699').avif().toBuffer())).toBe('avif');
  });
});
