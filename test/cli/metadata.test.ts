import { readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import sharp from 'sharp';
import { beforeEach, describe, expect, it } from 'vitest';
import { ascii, exifBlock, exifIn, numbers } from '../../src/image/kept/exif.ts';
import { xmpIn } from '../../src/image/kept/xmp.ts';
import { TAG } from '../../src/image/tiff/tags.ts';
import { coded, heicOf } from '../image/heic/heic-writer.ts';
import { iptcOf, packetOf, withSegments } from '../image/kept/packets.ts';
import { countsOf, finishedOf, openPlace, type Place } from './imgtool.ts';
import { picture, putOld } from './pictures.ts';

const SECRETS = /SECRET/;

/** A JPEG with EXIF, IPTC and XMP that disagree, and a Display P3 profile. */
async function labelled(): Promise<Buffer> {
  const jpeg = await sharp(await picture({ seed: 1 }))
    .withIccProfile('p3')
    .jpeg()
    .toBuffer();
  const { icc = Buffer.alloc(0) } = await sharp(jpeg).metadata();
  const bare = await sharp(jpeg, { ignoreIcc: true }).jpeg({ quality: 95 }).toBuffer();
  const block = exifBlock({
    littleEndian: true,
    main: new Map([
      [TAG.Artist, ascii(TAG.Artist, 'Exif Artist')],
      [TAG.Make, ascii(TAG.Make, 'SECRETMAKE')],
    ]),
    details: new Map([[0xa431, ascii(0xa431, 'SECRETSERIAL')]]),
    gps: new Map([
      [1, ascii(1, 'N')],
      [2, numbers(true).rational(2, [48, 1, 51, 1, 0, 1])],
    ]),
  })!;
  const resource = iptcOf([
    [80, 'Iptc Artist'],
    [110, 'Iptc Credit'],
    [90, 'SECRETCITY'],
  ]);
  const head = Buffer.from('Photoshop 3.0\0' + '8BIM\x04\x04\0\0\0\0\0\0', 'latin1');
  head.writeUInt32BE(resource.length, head.length - 4);
  const rights =
    '<dc:rights>© 2026 Äpfel 日本</dc:rights><dc:creator>Xmp Ödön</dc:creator><dc:title>SECRETTITLE</dc:title>';
  return withSegments(bare, [
    [0xe1, Buffer.concat([Buffer.from('Exif\0\0'), block])],
    [0xe1, Buffer.concat([Buffer.from('http://ns.adobe.com/xap/1.0/\0'), packetOf(rights)])],
    [0xed, Buffer.concat([head, resource])],
    [0xe2, Buffer.concat([Buffer.from('ICC_PROFILE\0\x01\x01', 'latin1'), icc])],
  ]);
}

let place: Place;
beforeEach(async () => {
  place = openPlace();
  putOld(place.at('photos/a.jpg'), await labelled());
});

const FORMATS = ['jpeg', 'webp', 'png', 'avif'];
const variants = (formats: readonly string[]) =>
  formats.flatMap((one) => ['--variant', `${one}:w=40,format=${one}`]);
const outputs = () => place.files('out').map((name) => place.at('out', name));
/** Pixels per inch; null where a file states none. */
async function densityOf(path: string): Promise<number | null> {
  const { density, resolutionUnit } = await sharp(path).metadata();
  return resolutionUnit === undefined ? null : (density ?? null);
}
const verify = async () => (await place.run(['verify'])).stdout;

describe('imgtool process', () => {
  it('keeps nothing by default, in any format', async () => {
    await place.process(...variants([...FORMATS, 'gif', 'tiff']));
    expect(outputs()).toHaveLength(6);
    for (const path of outputs()) {
      expect(readFileSync(path, 'latin1')).not.toMatch(/SECRET|Artist|Exif\0\0|xpacket|ICC_PROFILE|iCCP/);
    }
  });

  it('keeps the copyright and the profile alone, by XMP before IPTC before EXIF', async () => {
    await place.process('--keep', 'copyright+icc', ...variants(FORMATS));
    const source = await sharp(place.at('photos/a.jpg')).metadata();
    for (const path of outputs()) {
      const { exif, xmp, icc, iptc } = await sharp(path).metadata();
      const texts = [...xmpIn(xmp!, () => true)].map(([name, { texts: all }]) => [name, ...all]);
      expect(texts, path).toEqual([
        ['dc:creator', 'Xmp Ödön'],
        ['dc:rights', '© 2026 Äpfel 日本'],
        ['photoshop:Credit', 'Iptc Credit'],
      ]);
      const { main, details, gps } = exifIn(exif!);
      const written = [...main.values()].map(({ bytes }) => bytes.toString('latin1'));
      expect([written, details.size, gps.size]).toEqual([['Xmp Odon\0', '(c) 2026 Apfel ??\0'], 0, 0]);
      expect([icc, iptc]).toEqual([source.icc, undefined]);
      expect(readFileSync(path, 'latin1')).not.toMatch(SECRETS);
    }
    expect(await verify()).toBe('4 outputs verified, all in order\n');
  });

  it('keeps the pixels in the colours of their profile', async () => {
    await place.process(
      '--keep',
      'icc',
      '--variant',
      'own:format=png',
      '--variant',
      'plain:format=png,keep=none',
    );
    const own = await sharp(place.at('photos/a.jpg'), { ignoreIcc: true }).raw().toBuffer();
    const [kept, converted] = await Promise.all(
      ['own', 'plain'].map((name) =>
        sharp(place.at(`out/a_${name}.png`), { ignoreIcc: true })
          .raw()
          .toBuffer(),
      ),
    );
    expect(kept).toEqual(own);
    expect(converted).not.toEqual(own);
  });

  it('keeps the metadata of a HEIC photograph, not that of its gain map', async () => {
    const xmp = (text: string) => {
      const data = packetOf(`<dc:title>${text}</dc:title>`);
      return { type: 'mime\0application/rdf+xml', data, properties: [] };
    };
    const pictures = [coded('plain.heic'), coded('second.heic')];
    const other = { type: 'mime\0text/plain', data: Buffer.from('no XML'), properties: [] };
    const about = [2, 1, 1].map((to, i) => ({ type: 'cdsc', from: i + 3, to: [to] }));
    const all = [...pictures, xmp('SECRET'), other, xmp('Photograph')];
    putOld(place.at('photos/a.jpg'), heicOf(all, 1, about));
    await place.process('--keep', 'xmp', ...variants(['jpeg']));
    const { xmp: written } = await sharp(outputs()[0]).metadata();
    expect(xmpIn(written!, () => true).get('dc:title')?.texts).toEqual(['Photograph']);
  });

  it('keeps the only metadata of a HEIC photograph that does not say which picture it is about', async () => {
    const data = packetOf('<dc:title>Photograph</dc:title>');
    const xmp = { type: 'mime\0application/rdf+xml', data, properties: [] };
    putOld(place.at('photos/a.jpg'), heicOf([coded('plain.heic'), xmp], 1, []));
    putOld(place.at('photos/b.jpg'), heicOf([coded('plain.heic'), xmp, xmp], 1, []));
    await place.process('--keep', 'xmp', ...variants(['jpeg']));
    const titles = await Promise.all(
      outputs().map(async (path) => {
        const { xmp: written } = await sharp(path).metadata();
        return written && xmpIn(written, () => true).get('dc:title')?.texts;
      }),
    );
    expect(titles).toEqual([['Photograph'], undefined]);
  });

  it('keeps the position without its time, and the time with the date', async () => {
    const gps = new Map([
      [1, ascii(1, 'N')],
      [2, numbers(true).rational(2, [48, 1, 51, 1, 0, 1])],
      [7, numbers(true).rational(7, [7, 1, 8, 1, 9, 1])],
      [29, ascii(29, '2024:05:06')],
    ]);
    const block = exifBlock({ littleEndian: true, main: new Map(), details: new Map(), gps })!;
    const stamp = '<exif:GPSTimeStamp>2024-05-06T07:08:09Z</exif:GPSTimeStamp>';
    const jpeg = withSegments(await picture({ seed: 1 }), [
      [0xe1, Buffer.concat([Buffer.from('Exif\0\0'), block])],
      [0xe1, Buffer.concat([Buffer.from('http://ns.adobe.com/xap/1.0/\0'), packetOf(stamp)])],
    ]);
    putOld(place.at('photos/a.jpg'), jpeg);
    const keeping = (word: string) => ['--variant', `${word}:w=40,format=jpeg,keep=${word}`];
    await place.process(...keeping('date'), ...keeping('gps'));
    const found = await Promise.all(
      outputs().map(async (path) => {
        const { exif, xmp } = await sharp(path).metadata();
        return [...exifIn(exif!).gps.keys(), ...xmpIn(xmp!, () => true).keys()];
      }),
    );
    expect(found).toEqual([
      [7, 29, 'exif:GPSTimeStamp'],
      [1, 2, 'exif:GPSLatitude'],
    ]);
  });

  it('keeps the exposure and the direction of a JPEG in a TIFF', async () => {
    const { of } = numbers(true);
    const block = exifBlock({
      littleEndian: true,
      main: new Map(),
      details: new Map([[37383, of(37383, 3, [5])]]),
      gps: new Map([[17, of(17, 5, [901, 10])]]),
    })!;
    const exif = Buffer.concat([Buffer.from('Exif\0\0'), block]);
    putOld(place.at('photos/a.jpg'), withSegments(await picture({ seed: 1 }), [[0xe1, exif]]));
    await place.process('--keep', 'camera+gps', ...variants(['tiff']));
    const { xmp } = await sharp(outputs()[0]).metadata();
    const texts = [...xmpIn(xmp!, () => true)].map(([name, { texts: all }]) => [name, ...all]);
    expect(texts).toEqual([
      ['exif:GPSImgDirection', '901/10'],
      ['exif:MeteringMode', '5'],
    ]);
  });

  it.each([
    ['300 by 0', 300, 0, null],
    ['0 by 0', 0, 0, null],
    ['0 by 1', 0, 1, null],
    ['4,294,967,295 by 1', 2 ** 32 - 1, 1, null],
    ['65,535 by 1', 65_535, 1, 65_535],
  ])('keeps a density only if outputs can hold it: %s', async (_, over, under, wanted) => {
    const tiff = await sharp(await picture({ seed: 1 }))
      .tiff()
      .toBuffer();
    for (const tag of [TAG.XResolution, TAG.YResolution]) {
      const entry = tiff.indexOf(Buffer.from([tag & 0xff, tag >> 8, 5, 0, 1, 0, 0, 0]));
      tiff.writeUInt32LE(under, tiff.writeUInt32LE(over, tiff.readUInt32LE(entry + 8)));
    }
    putOld(place.at('photos/a.jpg'), tiff);
    await place.process('--keep', 'density', ...variants(['jpeg', 'png']));
    expect(await Promise.all(outputs().map(densityOf))).toEqual([wanted, wanted]);
  });

  it('makes no density for a source that states none', async () => {
    putOld(place.at('photos/a.jpg'), await picture({ seed: 1 }));
    expect(await densityOf(place.at('photos/a.jpg'))).toBeNull();
    await place.process('--keep', 'density', ...variants(['jpeg', 'png']));
    expect(await Promise.all(outputs().map(densityOf))).toEqual([null, null]);
  });

  it('writes a copyright notice and an artist into outputs, in place of those of the source', async () => {
    await place.process('--copyright', '© Me', '--artist', 'Ögon', ...variants(['jpeg', 'tiff']));
    for (const path of outputs()) {
      const { xmp } = await sharp(path).metadata();
      const texts = [...xmpIn(xmp!, () => true)].map(([name, { texts: all }]) => [name, ...all]);
      expect(texts).toEqual([
        ['dc:creator', 'Ögon'],
        ['dc:rights', '© Me'],
      ]);
    }
    const again = await place.process(
      '--copyright',
      '© You',
      '--artist',
      'Ögon',
      ...variants(['jpeg', 'tiff']),
    );
    expect(countsOf(again)).toMatchObject({ completed: 1 });
  });

  it('refuses metadata that a format cannot hold before it does anything', async () => {
    const { code, stderr } = await place.run([
      'process',
      'photos',
      '--keep',
      'gps',
      '--variant',
      'a:format=gif',
    ]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('expected what gif can hold, got "gps"')]);
    expect(place.files('.')).toEqual(['photos/a.jpg']);
  });
});

describe('imgtool verify', () => {
  it.each(FORMATS)('finds metadata that was written later into %s', async (format) => {
    await place.process('--keep', 'copyright', ...variants([format]));
    const [path = ''] = outputs();
    const exif = { IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '48/1 51/1 0/1' } };
    writeFileSync(path, await sharp(path).keepMetadata().withExifMerge(exif).toBuffer());
    expect(await verify()).toMatch(/metadata: carries (.* )?other exif/);
  });
});

describe('imgtool verify of a format without a place for EXIF', () => {
  it('finds XMP and a comment in a GIF, and a position in a TIFF', async () => {
    await place.process(...variants(['gif', 'tiff']));
    const [gif = '', tiff = ''] = outputs();
    const bytes = readFileSync(gif);
    const added = Buffer.from('!\xff\x0bXMP DataXMP\x01x\0!\xfe\x01c\0', 'latin1');
    writeFileSync(gif, Buffer.concat([bytes.subarray(0, -1), added, bytes.subarray(-1)]));
    // The tag Predictor becomes the pointer to a directory of positions.
    const stored = readFileSync(tiff);
    const predictor = stored.lastIndexOf(Buffer.from([0x3d, 0x01, 0x03, 0x00, 0x01, 0x00]));
    stored.writeUInt16LE(TAG.GpsDirectory, predictor);
    writeFileSync(tiff, stored);
    expect(await verify()).toMatch(/metadata: carries xmp, comment[\s\S]*metadata: carries gps/);
  });
});

describe('--times', () => {
  const timeOf = (name: string) => statSync(place.at(name)).mtime.toISOString().slice(0, 19);

  it('gives outputs and copies the times of their sources, and renders nothing twice', async () => {
    putOld(place.at('photos/b.jpg'), readFileSync(place.at('photos/a.jpg')));
    const [one, two] = ['2001-02-03T04:05:06', '2002-02-03T04:05:07'];
    utimesSync(place.at('photos/a.jpg'), new Date(`${one}.789Z`), new Date(`${one}.789Z`));
    utimesSync(place.at('photos/b.jpg'), new Date(`${two}Z`), new Date(`${two}Z`));
    const before = await place.process('--variant', 'a:w=40');
    expect(countsOf(before)).toMatchObject({ completed: 1, duplicate: 1 });
    for (let i = 0; i < 2; i++) {
      const after = await place.process('--variant', 'a:w=40', '--times');
      expect(countsOf(after)).toEqual({ unchanged: 2 });
      expect([timeOf('out/a_a.webp'), timeOf('out/b_a.webp')]).toEqual([one, two]);
    }
    await place.process('--variant', 'b:w=30', '--times');
    expect([timeOf('out/a_b.webp'), timeOf('out/b_b.webp')]).toEqual([one, two]);
    expect(finishedOf(await place.process('--variant', 'b:w=30'))).toMatchObject({ state: 'finished' });
    expect(await verify()).toMatch(/^4 outputs verified, all in order/);
  });
});
