import { describe, expect, it } from 'vitest';
import { FIELD_KEYS, fullVariant } from '../../src/variants/fields.ts';
import { BUILT_IN } from '../../src/variants/presets.ts';
import { readVariants, specOf } from '../../src/variants/written.ts';
import { failure } from '../config/folders.ts';

const place = { code: 'usage', text: '--variant' } as const;
const read = (raw: unknown) => readVariants(raw, place).map(fullVariant);

describe('a variant written as a spec', () => {
  it.each([
    ['hero:w=1600,format=avif,q=55', { name: 'hero', width: 1600, format: 'avif', quality: 55 }],
    ['a:width=5,height=6', { name: 'a', width: 5, height: 6 }],
    ['a:w=5,format=jpg', { name: 'a', width: 5, format: 'jpeg' }],
    ['a:w=5,format=JPEG', { name: 'a', width: 5, format: 'jpeg' }],
    [
      'a:h=5,lossless,grayscale,sharpen',
      { name: 'a', height: 5, lossless: true, grayscale: true, sharpen: true },
    ],
    ['a:h=5,greyscale=yes,sharpen=off', { name: 'a', height: 5, grayscale: true, sharpen: false }],
    [
      'a:w=5,h=5,fit=cover,position=right-top',
      { name: 'a', width: 5, height: 5, fit: 'cover', position: 'right top' },
    ],
    [
      'a:w=5,h=5,fit=cover,position=center',
      { name: 'a', width: 5, height: 5, fit: 'cover', position: 'centre' },
    ],
    ['a:w=5,background=#F00', { name: 'a', width: 5, background: '#ff0000' }],
    ['a:w=5,background=black', { name: 'a', width: 5, background: '#000000' }],
    [' a : w = 5 , q = 7 ', { name: 'a', width: 5, quality: 7 }],
    ['a:w=5,format=avif,effort=0', { name: 'a', width: 5, format: 'avif', effort: 0 }],
    ['a:w=5,format=jpeg,lossless=false', { name: 'a', width: 5, format: 'jpeg' }],
    ['same:format=png', { name: 'same', format: 'png' }],
    ['a:scale=50.0%', { name: 'a', scale: '50%' }],
    ['a:scale=200%,enlarge', { name: 'a', scale: '200%', enlarge: true }],
    ['a:w=5,ratio=16:9,position=30%:40%', { name: 'a', width: 5, ratio: [16, 9], position: ['30%', '40%'] }],
    ['a:ratio=1.91:1,position=top', { name: 'a', ratio: [1.91, 1], position: 'top' }],
    ['a:ratio=0.0001:65535,scale= 0.5 % ', { name: 'a', ratio: [0.0001, 65535], scale: '0.5%' }],
    ['a:crop=10:20:300:200,trim', { name: 'a', crop: [10, 20, 300, 200], trim: true }],
    ['a:crop= 5% : 0 : 12.50% : 7 ', { name: 'a', crop: ['5%', 0, '12.5%', 7] }],
    [
      'a:w=5,h=6,fit=contain,position=left-top,page=3,linear',
      { name: 'a', width: 5, height: 6, fit: 'contain', position: 'left top', page: 3, linear: true },
    ],
    ['a:w=5,h=6,fit=fill,enlarge=yes', { name: 'a', width: 5, height: 6, fit: 'fill', enlarge: true }],
    ['a:w=5,format=jpeg,effort=0', { name: 'a', width: 5, format: 'jpeg' }],
    ['a:w=5,format=jpeg,chroma=444', { name: 'a', width: 5, format: 'jpeg', chroma: '444' }],
    ['a:w=5,format=jpeg,chroma=4:4:4', { name: 'a', width: 5, format: 'jpeg', chroma: '444' }],
    ['a:w=5,chroma=sharp', { name: 'a', width: 5, chroma: 'sharp' }],
    ['a:w=5,nearlossless,q=60', { name: 'a', width: 5, nearlossless: true, quality: 60 }],
    ['a:w=5,format=jpeg,progressive=no', { name: 'a', width: 5, format: 'jpeg', progressive: false }],
    ['a:w=5,format=avif,bitdepth=10', { name: 'a', width: 5, format: 'avif', bitdepth: 10 }],
    ['a:w=5,format=tif', { name: 'a', width: 5, format: 'tiff' }],
    ['a:w=5,format=gif', { name: 'a', width: 5, format: 'gif' }],
  ] as const)('%s', (spec, loose) => {
    expect(read(spec)).toEqual([fullVariant(loose)]);
  });

  it.each([
    ['hero', 'expected NAME:KEY=VALUE,…, got "hero"'],
    [':w=5', 'expected NAME:KEY=VALUE,…, got ":w=5"'],
    ['a:', 'a:: expected KEY=VALUE'],
    ['a:w=5,', 'expected KEY=VALUE between the commas, got ""'],
    [
      'a:w=5,position=top',
      'position: expected fit=cover, fit=contain or a ratio beside it, because only they cut or place, got "top"',
    ],
    ['a:w=5,h=5,position=attention', 'position: expected fit=cover, fit=contain or a ratio beside it'],
    ['a:w=5,qualty=5', 'unknown key "qualty" (did you mean "quality"?)'],
    ['a:w=5,w=6', 'width: expected it once, got "6"'],
    ['a:w=5,width=6', 'width: expected it once, got "6"'],
    ['a:w=0', 'width: expected a whole number from 1 to 16383 (the most webp holds), got "0"'],
    ['a:w=16384', 'width: expected a whole number from 1 to 16383 (the most webp holds), got "16384"'],
    [
      'a:h=16385,format=avif',
      'height: expected a whole number from 1 to 16384 (the most avif holds), got "16385"',
    ],
    [
      'a:h=65536,format=jpeg',
      'height: expected a whole number from 1 to 65500 (the most jpeg holds), got "65536"',
    ],
    ['a:w', 'width: expected a whole number from 1 to 16383 (the most webp holds), got true'],
    ['a:w=5,q=101', 'quality: expected a whole number from 1 to 100, got "101"'],
    ['a:w=5,effort=7', 'effort: expected a whole number from 0 to 6 (for webp), got "7"'],
    ['a:w=5,format=png,effort=0', 'effort: expected a whole number from 1 to 10 (for png), got "0"'],
    ['a:w=5,format=jpeg,effort=3', 'effort: expected a whole number from 0 to 2 (for jpeg), got "3"'],
    ['a:w=5,format=tiff,effort=1', 'effort: expected no effort for tiff, got "1"'],
    ['a:w=5,format=gif,q=80', 'quality: expected no quality for gif, got "80"'],
    ['a:w=5,format=gif,lossless', 'lossless: expected no lossless for gif, got true'],
    ['a:w=5,chroma=444', 'chroma: expected one of auto, sharp, got "444"'],
    ['a:w=5,format=jpeg,chroma=sharp', 'chroma: expected one of auto, 444, 420, got "sharp"'],
    ['a:w=5,format=png,chroma=444', 'chroma: expected no chroma for png, got "444"'],
    ['a:w=5,format=jpeg,nearlossless', 'nearlossless: expected no nearlossless for jpeg, got true'],
    ['a:w=5,format=avif,bitdepth=9', 'bitdepth: expected one of 8, 10, 12, got "9"'],
    ['a:w=5,format=jpeg,bitdepth=10', 'bitdepth: expected no bitdepth for jpeg, got "10"'],
    [
      'a:w=65536,format=gif',
      'width: expected a whole number from 1 to 65535 (the most gif holds), got "65536"',
    ],
    ['a:w=5,format=jpeg,lossless', 'lossless: expected no lossless for jpeg, got true'],
    [
      'a:w=5,format=webq',
      'format: expected one of webp, jpeg, png, avif, gif, tiff, got "webq" (did you mean "webp"?)',
    ],
    [
      'a:w=5,fit=cower',
      'fit: expected one of inside, outside, cover, contain, fill, got "cower" (did you mean "cover"?)',
    ],
    ['a:w=5,fit=cover', 'fit: expected width and height for cover, got "cover"'],
    ['a:h=5,fit=contain', 'fit: expected width and height for contain, got "contain"'],
    ['a:fit=outside', 'fit: expected width and height for outside, got "outside"'],
    ['a:w=5,scale=50%', 'scale: expected either scale or a width and height, got "50%"'],
    ['a:scale=200%', 'scale: expected at most 100% without enlarge, got "200%"'],
    ['a:scale=0%', 'scale: expected a percentage above 0% and up to 10000%, such as 50%, got "0%"'],
    ['a:scale=50', 'scale: expected a percentage above 0% and up to 10000%, such as 50%, got "50"'],
    [
      'a:scale=12.34567%',
      'scale: expected a percentage above 0% and up to 10000%, such as 50%, got "12.34567%"',
    ],
    ['a:w=5,position=top', 'position: expected fit=cover, fit=contain or a ratio beside it'],
    ['a:w=5,h=5,fit=contain,position=attention', 'position: expected a place or a focal point for contain'],
    ['a:w=5,h=5,fit=cover,position=30%', 'or a focal point such as 30%:40%, got "30%"'],
    ['a:w=5,h=5,fit=cover,position=30%:101%', 'or a focal point such as 30%:40%, got "30%:101%"'],
    ['a:ratio=16', 'ratio: expected WIDTH:HEIGHT such as 16:9, got "16"'],
    ['a:ratio=0:9', 'ratio: expected WIDTH:HEIGHT such as 16:9, got "0:9"'],
    ['a:ratio=1.00001:1', 'ratio: expected WIDTH:HEIGHT such as 16:9, got "1.00001:1"'],
    ['a:ratio=65535.1:1', 'ratio: expected WIDTH:HEIGHT such as 16:9, got "65535.1:1"'],
    ['a:ratio=1e2:1', 'ratio: expected WIDTH:HEIGHT such as 16:9, got "1e2:1"'],
    ['a:scale=50%%', 'scale: expected a percentage above 0% and up to 10000%, such as 50%, got "50%%"'],
    ['a:ratio=16:9:1', 'ratio: expected WIDTH:HEIGHT such as 16:9, got "16:9:1"'],
    ['a:crop=1:2:3', 'crop: expected LEFT:TOP:WIDTH:HEIGHT in pixels or per cent'],
    ['a:crop=1:2:0:3', 'crop: expected LEFT:TOP:WIDTH:HEIGHT in pixels or per cent'],
    ['a:crop=-1:2:5:3', 'crop: expected LEFT:TOP:WIDTH:HEIGHT in pixels or per cent'],
    ['a:crop=0:0:101%:3', 'crop: expected LEFT:TOP:WIDTH:HEIGHT in pixels or per cent'],
    ['a:crop=1,2,3,4', 'unknown key'],
    ['a:crop=1\\,2:3:4:5', 'crop: expected LEFT:TOP:WIDTH:HEIGHT'],
    ['a:page=0', 'page: expected a whole number from 1 to 500, got "0"'],
    [
      'a:w=5,background=pink',
      'background: expected a colour such as #ffffff, #fff, white or black, got "pink"',
    ],
    ['../a:w=5', 'name: expected a name of letters, digits'],
    ['.a:w=5', 'name: expected a name of letters, digits'],
    ['é:w=5', 'name: expected a name of letters, digits'],
    [`${'a'.repeat(65)}:w=5`, 'name: expected a name of letters, digits'],
  ])('%s is refused', async (spec, message) => {
    const error = await failure(() => read(spec));
    expect(error.message).toMatch(/^--variant/);
    expect(error.message).toContain(message === 'a:: expected KEY=VALUE' ? 'KEY=VALUE' : message);
    expect(error.code).toBe('usage');
  });
});

describe('a field that a format does not have', () => {
  it.each([
    ['a:w=5,format=tiff,effort=1', 'leave effort out, or choose format=webp, jpeg, png, avif or gif'],
    ['a:w=5,format=jpeg,lossless', 'leave lossless out, or choose format=webp, png, avif or tiff'],
    ['a:w=5,format=png,chroma=444', 'leave chroma out, or choose format=webp, jpeg or avif'],
    ['a:w=5,format=png,bitdepth=10', 'leave bitdepth out, or choose format=avif'],
  ])('is refused with the formats that have it: %s', async (spec, fix) => {
    expect((await failure(() => read(spec))).fix).toBe(fix);
  });
});

describe('a wrong value of a field', () => {
  const fileOf = (key: string, value: unknown) =>
    readVariants([{ name: 'a', [key]: value }], { code: 'config', text: '.imgtoolrc: variants' });

  it.each(FIELD_KEYS)('is refused with the field, the value, what is expected and a fix: %s', async (key) => {
    const isText = key === 'copyright' || key === 'artist';
    const values = isText ? [''] : ['-1', '1e9', 'NaN', '', '1.5', '\\,', 'unknown'];
    for (const value of values) {
      const error = await failure(() => read(`a:${key}=${value}`));
      const got = JSON.stringify(value.replace('\\,', ','));
      expect(error.message).toMatch(new RegExp(`^--variant a:.*: ${key}: expected .{6,}, got `));
      expect(error.message).toContain(`, got ${got}`);
      expect(error.fix).toMatch(/^(choose format=|leave \w+ out, or choose format=|imgtool help variants )/);
    }
    for (const value of [-1, 1.5, Number.NaN, [], {}, '']) {
      const error = await failure(() => fileOf(key, value));
      expect(error.message).toMatch(/^\.imgtoolrc: variants\[0\]: \w+: expected .{6,}, got /);
      expect([error.code, error.fix]).toEqual(['config', expect.stringMatching(/.{20,}/)]);
    }
  });

  it.each([
    ['a:w=5,chroma=444', 'choose format=jpeg or avif for this value'],
    ['a:w=20000', 'choose format=jpeg, png, gif or tiff for this value'],
    ['a:w=5,format=jpeg,effort=3', 'choose format=webp, png, avif or gif for this value'],
    ['a:w=-5', 'imgtool help variants describes each key and its values'],
    ['a:format=webq', 'imgtool help variants describes each key and its values'],
    ['a:w=5,', 'for example hero:w=1600,format=avif,q=55; a comma in a value is \\,'],
    [
      'a:crop=1,2,3,4',
      'write a value of several numbers with : between them, for example crop=10:20:300:200',
    ],
  ])('is refused with the formats that allow it, or with help: %s', async (spec, fix) => {
    expect((await failure(() => read(spec))).fix).toBe(fix);
  });
});

describe('variants in a file', () => {
  const small = fullVariant({ name: 'small', width: 5 });

  it('may be a list of mappings and specs', () => {
    expect(read([{ name: 'small', width: 5 }, 'b:h=6'])).toEqual([
      small,
      fullVariant({ name: 'b', height: 6 }),
    ]);
  });

  it('may be a mapping from names to mappings or specs without a name', () => {
    expect(read({ small: { width: 5, height: null }, b: 'h=6' })).toEqual([
      small,
      fullVariant({ name: 'b', height: 6 }),
    ]);
  });

  it.each([
    [[{ name: 'a', widht: 5 }], '--variant[0]: unknown key "widht" (did you mean "width"?)'],
    [[{ width: 5 }], '--variant[0]: name: expected a name of letters'],
    [[7], '--variant[0]: expected a variant, got 7'],
    [7, '--variant: expected a variant, got 7'],
    [
      { a: { width: 5, quality: 200 } },
      '--variant.a: quality: expected a whole number from 1 to 100, got 200',
    ],
    [['a:w=1', 'A:w=2'], '--variant: expected each variant once in a format, got "A (webp)"'],
  ])('%j is refused', async (raw, message) => {
    expect((await failure(() => read(raw))).message).toContain(message);
  });

  it('of one name may differ by format', () => {
    expect(read(['a:w=1,format=png', 'a:w=1'])).toHaveLength(2);
  });
});

describe('the spec of a variant', () => {
  it.each([
    ...BUILT_IN.flatMap((preset) => preset.variants),
    fullVariant({
      name: 'a',
      width: 5,
      height: 5,
      fit: 'cover',
      position: 'left top',
      background: '#123456',
    }),
    fullVariant({ name: 'a', width: 5, format: 'avif', lossless: true, effort: 9, sharpen: true }),
    fullVariant({ name: 'a', width: 5, format: 'png', effort: 9 }),
    fullVariant({ name: 'a', height: 5, quality: 1 }),
    fullVariant({ name: 'a', width: 5, format: 'jpeg', effort: 2, chroma: '444', progressive: false }),
    fullVariant({ name: 'a', width: 5, nearlossless: true, quality: 60 }),
    fullVariant({ name: 'a', width: 5, format: 'avif', bitdepth: 10, chroma: '420' }),
    fullVariant({ name: 'a', width: 5, format: 'gif' }),
    fullVariant({ name: 'a', width: 5, format: 'tiff', grayscale: true }),
    fullVariant({ name: 'same', format: 'png' }),
    fullVariant({ name: 'a', scale: '200%', enlarge: true, ratio: [1.91, 1], position: ['30%', '0.5%'] }),
    fullVariant({ name: 'a', crop: [10, '20%', 300, '12.5%'], trim: true, page: 2, linear: true }),
    fullVariant({ name: 'a', width: 5, height: 6, fit: 'contain', position: 'left top' }),
    ...['a\\', 'a, b\\, c', '\\\\,', ',\\'].map((copyright) =>
      fullVariant({ name: 'a', copyright, artist: 'b' }),
    ),
  ])('reads as the same variant: $name $format $fit $effort', (variant) => {
    expect(read(specOf(variant))).toEqual([variant]);
  });

  it('is short', () => {
    expect(specOf(fullVariant({ name: 'a', width: 5, quality: 40 }))).toBe('a:w=5,format=webp,q=40');
  });
});
