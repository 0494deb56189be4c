import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp, { type Sharp } from 'sharp';
import { bmpOf, icoOf } from '../image/bmp/bmp-writer.ts';
import { KINDS } from '../image/bmp/kinds.ts';
import { fixture } from '../image/heic/heic-writer.ts';

export interface Sample {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Bytes. Larger files of the corpora only take longer. */
const LARGEST = 60_000;

/** Small pictures of every kind in groups, with the corpora that this machine has. */
export async function everyKind(): Promise<Sample[][]> {
  const groups = [await smallOnes(), bitmaps(), heics(), corpus('pngsuite'), corpus('exif-samples')];
  return groups.filter((group) => group.length > 0);
}

/** Bitmaps of every kind, and icons of those that an icon can hold. */
function bitmaps(): Sample[] {
  return Object.entries(KINDS).flatMap(([name, kind], i) => {
    const bmp = { name: `bitmap-${i}-${name.replace(/\W+/g, '_')}.bmp`, bytes: bmpOf(kind).bytes };
    if (kind.header !== undefined || kind.fields !== undefined || kind.runs || kind.topDown) return [bmp];
    const isMasked = (x: number, y: number) => (x + y) % 3 === 0;
    return [bmp, { name: `icon-${i}.ico`, bytes: icoOf([{ kind, isMasked }]).bytes }];
  });
}

function heics(): Sample[] {
  const names = ['plain', 'ten', 'alpha', 'p3'].map((name) => `${name}.heic`);
  return names.map((name) => ({ name, bytes: fixture(name) }));
}

/** Generated small pictures of every kind. */
export async function smallOnes(): Promise<Sample[]> {
  const [width, height] = [64, 48];
  const noisy = Buffer.from(Array.from({ length: width * height * 3 }, (_, i) => (i * i * 31) >> 5));
  const still = () => sharp(noisy, { raw: { width, height, channels: 3 } });
  const moving = () => sharp(noisy, { raw: { width, height, channels: 3, pageHeight: height / 4 } });
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="64" height="48"><defs><linearGradient id="g">
<stop offset="0" stop-color="red"/><stop offset="1"/></linearGradient></defs><path d="M0 0L9 40z" fill="url(#g)"/>
<text x="9" y="20" font-size="12">text</text><use href="#g" x="1"/></svg>`;
  const made: Readonly<Record<string, Sharp | Buffer>> = {
    jpeg: still().jpeg(),
    jpeg_progressive: still().jpeg({ progressive: true, chromaSubsampling: '4:4:4' }),
    jpeg_exif: still()
      .jpeg()
      .withIccProfile('p3')
      .withMetadata({
        orientation: 6,
        exif: { IFD0: { Copyright: 'nobody' }, IFD3: { GPSLatitude: '51/1 30/1 0/1' } },
      }),
    jpeg_gray: still().toColourspace('b-w').jpeg(),
    jpeg_cmyk: still().toColourspace('cmyk').jpeg(),
    png: still().png(),
    png_interlaced: still().png({ progressive: true }),
    png_16: still().toColourspace('rgb16').png(),
    png_palette: still().ensureAlpha(0.5).png({ palette: true, colours: 16 }),
    png_exif: still()
      .png()
      .withExif({ IFD0: { Copyright: 'nobody' } }),
    webp: still().webp(),
    webp_lossless: still().ensureAlpha(0.5).webp({ lossless: true }),
    webp_animated: moving().webp({ delay: 50 }),
    gif: still().gif(),
    gif_animated: moving().gif({ delay: 50 }),
    tiff: still().tiff({ compression: 'none' }),
    tiff_lzw: still().tiff({ compression: 'lzw', predictor: 'horizontal' }),
    tiff_deflate_tiled: still().tiff({ compression: 'deflate', tile: true, tileWidth: 16, tileHeight: 16 }),
    tiff_jpeg: still().tiff({ compression: 'jpeg' }),
    avif: still().avif({ effort: 0 }),
    avif_lossless: still().ensureAlpha(0.5).avif({ effort: 0, lossless: true }),
    svg: Buffer.from(svg),
  };
  const encoded = Object.entries(made).map(async ([name, one]) => ({
    name,
    bytes: Buffer.isBuffer(one) ? one : await one.toBuffer(),
  }));
  return Promise.all(encoded);
}

/** The smaller files of a corpus. Empty if this machine lacks the corpus. */
function corpus(name: string): Sample[] {
  const folder = fileURLToPath(new URL(`../../../shared/corpus/${name}`, import.meta.url));
  return filesIn(folder)
    .map((path) => join(folder, path))
    .filter((path) => extname(path) !== '.txt' && statSync(path).isFile() && statSync(path).size <= LARGEST)
    .sort()
    .map((path) => ({ name: basename(path).replaceAll(/\W/g, '_'), bytes: readFileSync(path) }));
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' });
  } catch {
    console.warn(`not read, since it is not there: ${folder}`);
    return [];
  }
}
