import { describe, expect, it } from 'vitest';
import { asciiOf } from '../../../src/image/kept/ascii.ts';
import { ascii, asciiText, exifBlock, exifIn, NO_EXIF, numbers, TYPE } from '../../../src/image/kept/exif.ts';
import { gpsInExif, gpsInXmp } from '../../../src/image/kept/gps.ts';
import { iptcIn } from '../../../src/image/kept/iptc.ts';
import { CAMERA, GPS, pairsInExif, pairsInXmp } from '../../../src/image/kept/pairs.ts';
import { rdfText, xmpPacket } from '../../../src/image/kept/xml.ts';
import { xmpIn } from '../../../src/image/kept/xmp.ts';
import { TAG } from '../../../src/image/tiff/tags.ts';
import { iptcOf } from './packets.ts';

const map = (...entries: ReturnType<typeof ascii>[]) => new Map(entries.map((one) => [one.tag, one]));

describe('an EXIF block that is written', () => {
  it.each([true, false])('gives back its entries (little-endian: %s)', (littleEndian) => {
    const { short, rational } = numbers(littleEndian);
    const exif = {
      littleEndian,
      main: map(ascii(TAG.Copyright, '(c) Anna'), short(TAG.Orientation, 1)),
      details: map(ascii(TAG.DateTimeOriginal, '2024:05:06 07:08:09'), rational(TAG.FNumber, [28, 10])),
      gps: map(ascii(1, 'N'), rational(2, [48, 1, 51, 1, 0, 1])),
    };
    const block = exifBlock(exif)!;
    const found = exifIn(Buffer.concat([Buffer.from('Exif\0\0'), block]));
    expect(found).toEqual(exif);
    expect(exifBlock(found)).toEqual(block);
  });

  it('is absent without entries', () => {
    expect(exifBlock(NO_EXIF)).toBeNull();
  });
});

describe('a damaged EXIF block', () => {
  it('gives the entries that are whole, wherever it is cut', () => {
    const block = exifBlock({
      ...NO_EXIF,
      main: map(ascii(TAG.Artist, 'Anna'), ascii(TAG.Copyright, 'a longer text')),
    })!;
    for (let length = 0; length < block.length; length++) {
      const { main } = exifIn(block.subarray(0, length));
      expect([undefined, 'Anna']).toContain(asciiText(main.get(TAG.Artist)));
      expect(main.has(TAG.Copyright)).toBe(false);
    }
  });
});

describe('a text in ASCII', () => {
  it.each([
    ['© 2026 Äpfel & Straße', '(c) 2026 Apfel & Strasse'],
    ['Ødön “Łódź” – 5 €', 'Odon "Lodz" - 5 EUR'],
    ['山田 Anna', '?? Anna'],
    ['a\nb\x01c', 'a bc'],
    ['日本', undefined],
  ])('%s becomes %s', (text, wanted) => {
    expect(asciiOf(text)).toBe(wanted);
  });
});

describe('an IPTC block', () => {
  it('gives its texts, with every repeat of a dataset', () => {
    const found = iptcIn(
      iptcOf([
        [80, 'Ödön'],
        [25, 'one'],
        [25, 'two'],
      ]),
    );
    expect([...found]).toEqual([
      [80, ['Ödön']],
      [25, ['one', 'two']],
    ]);
  });

  it('is found among the resources of Photoshop', () => {
    const block = iptcOf([[116, 'Anna']]);
    const head = Buffer.from('Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\0', 'latin1');
    head.writeUInt32BE(block.length, head.length - 4);
    expect(iptcIn(Buffer.concat([head, block])).get(116)).toEqual(['Anna']);
  });

  it('of an old program is read as Windows-1252', () => {
    expect(iptcIn(Buffer.from('\x1c\x02\x50\0\x04\xd6d\xf6n', 'latin1')).get(80)).toEqual(['Ödön']);
  });

  it('with a length beyond its end gives what is before', () => {
    const cut = Buffer.concat([iptcOf([[80, 'Anna']]), Buffer.from([0x1c, 2, 116, 0x7f, 0xff, 1])]);
    expect([...iptcIn(cut)]).toEqual([[80, ['Anna']]]);
  });
});

describe('a position', () => {
  it('is the same in EXIF and in XMP', () => {
    const xmp = new Map([
      ['exif:GPSLatitude', rdfText('exif:GPSLatitude', '33,54.25S')],
      ['exif:GPSLongitude', rdfText('exif:GPSLongitude', '151,12.5E')],
    ]);
    const exif = { ...NO_EXIF, gps: gpsInExif(xmp, true) };
    expect(gpsInXmp(exif).map(({ texts }) => texts[0])).toEqual(['33,54.250000S', '151,12.500000E']);
  });

  it.each([
    ['rounds up to a whole degree', [48, 1, 59, 1, 5_999_999, 100_000], '49,0.000000N'],
    ['has unknown seconds', [48, 1, 30, 1, 0, 0], '48,30.000000N'],
    ['has unknown minutes', [48, 1, 0, 0, 0, 0], '48,0.000000N'],
    ['has decimals of degrees', [485, 10], '48,30.000000N'],
    ['has unknown degrees', [0, 0, 30, 1, 0, 1], undefined],
  ])('that %s has its place in XMP', (_, values, wanted) => {
    const gps = map(ascii(1, 'N'), numbers(true).rational(2, values));
    expect(gpsInXmp({ ...NO_EXIF, gps })[0]?.texts[0]).toBe(wanted);
  });
});

describe('a copyright notice in EXIF', () => {
  it.each([
    ['Anna\0', 'Anna'],
    [' \0Editor\0', 'Editor'],
    ['Anna\0Editor\0', 'Anna; Editor'],
    [' \0 \0', undefined],
  ])('%j has the notices of the photographer and of the editor', (stored, wanted) => {
    expect(asciiText(ascii(TAG.Copyright, stored))).toBe(wanted);
  });

  it('may be UTF-8 of Exif 3.0', () => {
    const entry = { tag: TAG.Copyright, type: TYPE.utf8, bytes: Buffer.from('© Änna\0') };
    const { main } = exifIn(exifBlock({ ...NO_EXIF, main: map(entry) })!);
    expect(asciiText(main.get(TAG.Copyright))).toBe('© Änna');
  });
});

describe('facts that EXIF and XMP both hold', () => {
  const { of } = numbers(false);
  const exif = {
    littleEndian: false,
    main: map(ascii(TAG.Make, 'Maker')),
    details: map(
      of(TAG.ExposureTime, TYPE.rational, [1, 250]),
      of(37380, TYPE.signedRational, [-2, 3]),
      of(34850, TYPE.short, [2]),
      of(TAG.Iso, TYPE.short, [400]),
      of(34865, TYPE.long, [4_000_000_000]),
    ),
    gps: map(of(5, TYPE.byte, [1]), of(6, TYPE.rational, [335, 10]), ascii(16, 'T')),
  };
  const none = { iptc: new Map(), density: null };
  const all = [...CAMERA, ...GPS];

  it('are the same in both', () => {
    const made = pairsInXmp(all, { ...none, exif, xmp: new Map() });
    const xmp = xmpIn(xmpPacket(made)!, () => true);
    expect([...xmp].map(([name, { texts }]) => [name, ...texts])).toEqual([
      ['tiff:Make', 'Maker'],
      ['exif:ExposureTime', '1/250'],
      ['exif:ExposureBiasValue', '-2/3'],
      ['exif:ISOSpeedRatings', '400'],
      ['exif:ExposureProgram', '2'],
      ['exifEX:StandardOutputSensitivity', '4000000000'],
      ['exif:GPSAltitudeRef', '1'],
      ['exif:GPSAltitude', '335/10'],
      ['exif:GPSImgDirectionRef', 'T'],
    ]);
    const source = { ...none, exif: { ...NO_EXIF, littleEndian: false }, xmp };
    for (const directory of ['main', 'details', 'gps'] as const)
      expect(pairsInExif(all, source, directory)).toEqual(exif[directory]);
  });

  it.each(['1/2/3', '-1/2', '1.5', '4294967296/1', ''])('are left out as %j, which is no ratio', (text) => {
    const xmp = new Map([['exif:FNumber', rdfText('exif:FNumber', text)]]);
    expect(pairsInExif(all, { ...none, exif: NO_EXIF, xmp }, 'details').size).toBe(0);
  });
});
