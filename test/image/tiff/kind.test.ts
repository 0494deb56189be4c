import { describe, expect, it } from 'vitest';
import { detect } from '../../../src/image/detect.ts';
import { exact, rendered, scratch } from '../pictures.ts';
import { type Entry, type Picture, writeTiffs } from './write.ts';

const folder = scratch();

const ascii = (tag: number, text: string): Entry => ({ tag, type: 2, values: [...Buffer.from(`${text}\0`)] });
const long = (tag: number, ...values: number[]): Entry => ({ tag, type: 4, values });

/** An RGB picture of one colour; a preview is smaller than `full`. */
const rgb = (width: number, height: number, ...tags: Entry[]): Picture => ({
  ...{ width, height, photometric: 2, samples: 3, bits: 8, tags },
  value: (_x, _y, sample) => [200, 100, 50][sample]!,
});
const preview = (make: string, ...tags: Entry[]) => rgb(40, 25, long(254, 1), ascii(271, make), ...tags);
const full = () => rgb(160, 100, long(254, 0));
const sensor = (photometric: number, ...tags: Entry[]): Picture => ({
  ...{ width: 160, height: 100, photometric, samples: 1, bits: 16, tags: [long(254, 0), ...tags] },
  value: (x, y) => x * y,
});
const DNG: Entry = { tag: 50706, type: 1, values: [1, 4, 0, 0] };
const PRINT_IM: Entry = { tag: 50341, type: 7, values: [...Buffer.from('PrintIM\x000300\0\0\0\0')] };

describe('a camera raw file', () => {
  const RAW: [string, Picture, Picture[]][] = [
    ['Nikon NEF', preview('NIKON CORPORATION'), [full()]],
    ['Nikon NEF', preview('NIKON CORPORATION'), [full(), sensor(32803)]],
    ['Samsung SRW', preview('SAMSUNG'), [sensor(32803)]],
    ['Hasselblad 3FR', preview('Hasselblad'), [sensor(32803)]],
    ['Epson ERF', preview('SEIKO EPSON CORP.'), [sensor(32803)]],
    ['Phase One IIQ', preview('Phase One A/S'), [full()]],
    ['Pentax PEF', sensor(32803, ascii(271, 'PENTAX Corporation')), []],
    ['Sony ARW', preview('SONY'), [sensor(32803)]],
    ['DNG', preview('Apple', DNG), [sensor(34892)]],
    ['DNG', rgb(160, 100, ascii(271, 'Leica'), DNG), [sensor(32803)]],
    ['DNG', preview('Nobody', DNG), [full()]],
    ['camera raw', preview('Nobody'), [full()]],
  ];

  it.each(RAW)('is refused under its name because of its structure: %s', async (name, first, below) => {
    for (const order of [{}, { bigEndian: true }, { bigTiff: true }]) {
      const bytes = writeTiffs([{ ...first, ...order }], below);
      await expect(detect(bytes, false)).rejects.toMatchObject({
        code: 'unsupported_format',
        message: `the decoder cannot read ${name === 'camera raw' ? name : `${name} camera raw`}`,
        fix: expect.stringContaining('develop it'),
      });
    }
  });

  it('is refused when a later directory has the sensor data', async () => {
    const bytes = writeTiffs([preview('Kodak'), sensor(32803)], []);
    await expect(detect(bytes, false)).rejects.toMatchObject({ message: /Kodak camera raw/ });
  });

  it('is refused because of the mark after its header', async () => {
    for (const [mark, name] of [
      ['CR\x02\0', 'Canon CR2'],
      ['IIIITwaR', 'Phase One IIQ'],
    ] as const) {
      const bytes = Buffer.concat([Buffer.from(`II*\0\x10\0\0\0${mark}`, 'latin1'), Buffer.alloc(60)]);
      await expect(detect(bytes, false)).rejects.toMatchObject({ message: new RegExp(`${name} camera raw`) });
    }
  });
});

describe('an ordinary TIFF', () => {
  const many = Array.from({ length: 18 }, (_, i) => ascii(65_100 + i, 'a private tag'));
  const ORDINARY: [string, Picture, Picture[]][] = [
    ['28 entries', rgb(160, 100, ...many), []],
    ['PrintIM', rgb(160, 100, PRINT_IM), []],
    ['DNGVersion', rgb(160, 100, DNG), []],
    ['the maker of a camera', rgb(160, 100, ascii(271, 'NIKON CORPORATION'), ascii(272, 'NIKON D70')), []],
    ['thumbnails below it', rgb(160, 100), [rgb(80, 50, long(254, 1)), rgb(40, 25, long(254, 1))]],
    ['a thumbnail below it that is not marked', rgb(160, 100, ascii(271, 'Canon')), [rgb(40, 25)]],
    ['the mark of a preview, but nothing that it previews', rgb(160, 100, long(254, 1)), []],
    [
      'a developed picture in a DNG, with a preview',
      rgb(160, 100, DNG, ascii(271, 'Canon')),
      [rgb(40, 25, long(254, 1))],
    ],
  ];

  it.each(ORDINARY)(
    'is read from its first directory, whatever file-type guesses: %s',
    async (_, first, below) => {
      for (const order of [{}, { bigEndian: true }, { bigTiff: true }]) {
        const bytes = writeTiffs([{ ...first, ...order }], below);
        const { picture } = await rendered(folder, bytes, [exact()]);
        expect(picture).toMatchObject({ format: 'tiff', width: 160, height: 100 });
      }
    },
  );
});
