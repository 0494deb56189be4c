import { ImgtoolError } from '../errors.ts';

/** What the program knows of picture formats by what file-type calls them. */

/** A format whose decoder is allowed to run. `heif` is a HEIF container holding AV1. */
export type SourceFormat = 'jpeg' | 'png' | 'webp' | 'gif' | 'tiff' | 'avif' | 'heif' | 'svg';

/** Extension as file-type reports it -> what decodes it. HEIF and SVG are looked at more closely by detect.ts. */
export const DECODED: Readonly<Record<string, SourceFormat>> = {
  jpg: 'jpeg',
  png: 'png',
  apng: 'png',
  webp: 'webp',
  gif: 'gif',
  tif: 'tiff',
  avif: 'avif',
};

/** Pictures which the prebuilt libvips has no decoder for: the name people know, and what to do. */
export interface Undecodable {
  readonly name: string;
  readonly fix: string;
}

const CONVERT = 'convert it to JPEG or PNG first';
const DEVELOP = 'develop it to JPEG or TIFF first, or use the JPEG the camera saved beside it';

export const HEVC: Undecodable = {
  name: 'HEIC (HEVC)',
  fix: 'convert it to JPEG first; on an iPhone, Settings > Camera > Formats > "Most Compatible" takes JPEG from now on',
};

/** Null for a maker that is not known. */
export const raw = (name: string | null): Undecodable => ({
  name: name === null ? 'camera raw' : `${name} camera raw`,
  fix: DEVELOP,
});
const picture = (name: string): Undecodable => ({ name, fix: CONVERT });

export const UNDECODABLE: Readonly<Record<string, Undecodable>> = {
  bmp: picture('BMP'),
  ico: picture('ICO'),
  cur: picture('CUR'),
  icns: picture('ICNS'),
  jxl: picture('JPEG XL'),
  jxr: picture('JPEG XR'),
  jls: picture('JPEG-LS'),
  jp2: picture('JPEG 2000'),
  j2c: picture('JPEG 2000'),
  jpm: picture('JPEG 2000'),
  jpx: picture('JPEG 2000'),
  mj2: picture('Motion JPEG 2000'),
  psd: { name: 'Photoshop (PSD)', fix: 'export it from the editor as PNG or JPEG first' },
  xcf: { name: 'GIMP (XCF)', fix: 'export it from the editor as PNG or JPEG first' },
  flif: picture('FLIF'),
  bpg: picture('BPG'),
  ktx: picture('KTX'),
  dcm: picture('DICOM'),
  eps: picture('EPS'),
  cr2: raw('Canon CR2'),
  cr3: raw('Canon CR3'),
  nef: raw('Nikon NEF'),
  arw: raw('Sony ARW'),
  dng: raw('DNG'),
  orf: raw('Olympus ORF'),
  raf: raw('Fujifilm RAF'),
  rw2: raw('Panasonic RW2'),
};

/** The refusal of a picture that no decoder here reads. */
export function undecodable({ name, fix }: Undecodable): ImgtoolError {
  return new ImgtoolError('unsupported_format', `this build of libvips cannot decode ${name}`, { fix });
}
