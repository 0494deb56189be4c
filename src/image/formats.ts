import { ImgtoolError } from '../errors.ts';

/** The picture formats, keyed by the names that file-type and signatures.ts use. */

/** A format with an enabled decoder. `heif` is a HEIF container with AV1. */
export type SourceFormat = 'jpeg' | 'png' | 'webp' | 'gif' | 'tiff' | 'avif' | 'heif' | 'svg';

/** Maps file-type's extensions to decoders. detect.ts examines HEIF and SVG more closely. */
export const DECODED: Readonly<Record<string, SourceFormat>> = {
  jpg: 'jpeg',
  png: 'png',
  apng: 'png',
  webp: 'webp',
  gif: 'gif',
  tif: 'tiff',
  avif: 'avif',
};

/** A format without a decoder in the prebuilt libvips: its common name, and a suggestion for the user. */
export interface Undecodable {
  readonly name: string;
  readonly fix: string;
}

export const CONVERT = 'convert it to JPEG or PNG first';
/** For JPEGs and TIFFs that need to be saved in another form. */
export const RESAVE = {
  eightBits: 'save it as an 8-bit JPEG or as PNG first',
  baseline: 'save it as a baseline JPEG or as PNG first',
  colours: 'save it as a grey or RGB JPEG or as PNG first',
  compression: 'save it with LZW or Deflate compression, or without compression',
} as const;
const DEVELOP = 'develop it to JPEG or TIFF first, or use the JPEG the camera saved beside it';
const EXPORT = 'export it from the editor as PNG or JPEG first';
const PAGES = 'export its pages as PNG or JPEG first';

export const HEVC: Undecodable = {
  name: 'HEIC (HEVC)',
  fix: 'convert it to JPEG first; on an iPhone, Settings > Camera > Formats > "Most Compatible" takes JPEG from now on',
};

/** `name` is null for an unknown maker. */
export const cameraRawFormat = (name: string | null): Undecodable => ({
  name: name === null ? 'camera raw' : `${name} camera raw`,
  fix: DEVELOP,
});
const picture = (name: string): Undecodable => ({ name, fix: CONVERT });
const edited = (name: string): Undecodable => ({ name, fix: EXPORT });
const pages = (name: string): Undecodable => ({ name, fix: PAGES });

const UNREAD = {
  bmp: picture('BMP'),
  ico: picture('ICO'),
  cur: picture('CUR'),
  ani: picture('animated cursor (ANI)'),
  icns: picture('ICNS'),
  jxl: picture('JPEG XL'),
  jxr: picture('JPEG XR'),
  jls: picture('JPEG-LS'),
  jp2: picture('JPEG 2000'),
  j2c: picture('JPEG 2000'),
  jpm: picture('JPEG 2000'),
  jpx: picture('JPEG 2000'),
  mj2: picture('Motion JPEG 2000'),
  psd: edited('Photoshop (PSD)'),
  psb: edited('Photoshop (PSB)'),
  xcf: edited('GIMP (XCF)'),
  psp: edited('Paint Shop Pro (PSP)'),
  kra: edited('Krita (KRA)'),
  ora: edited('OpenRaster (ORA)'),
  ai: edited('Adobe Illustrator (AI)'),
  cdr: edited('CorelDRAW (CDR)'),
  indd: edited('Adobe InDesign (INDD)'),
  pdf: pages('PDF'),
  djvu: pages('DjVu'),
  eps: picture('EPS'),
  ps: pages('PostScript'),
  wmf: picture('Windows metafile (WMF)'),
  emf: picture('Windows metafile (EMF)'),
  tga: picture('Targa (TGA)'),
  pcx: picture('PCX'),
  dcx: picture('DCX'),
  pbm: picture('PBM'),
  pgm: picture('PGM'),
  ppm: picture('PPM'),
  pam: picture('PAM'),
  pfm: picture('PFM'),
  xv: picture('XV thumbnail'),
  xpm: picture('XPM'),
  xbm: picture('XBM'),
  sgi: picture('SGI'),
  ras: picture('Sun raster'),
  qoi: picture('QOI'),
  farbfeld: picture('farbfeld'),
  flif: picture('FLIF'),
  bpg: picture('BPG'),
  mng: picture('MNG'),
  jng: picture('JNG'),
  miff: picture('MIFF'),
  ilbm: picture('Amiga ILBM'),
  pict: picture('PICT'),
  pcd: picture('Photo CD'),
  exr: picture('OpenEXR'),
  hdr: picture('Radiance HDR'),
  dpx: picture('DPX'),
  cin: picture('Cineon'),
  dds: picture('DirectDraw surface (DDS)'),
  ktx: picture('KTX'),
  ktx2: picture('KTX 2'),
  pvr: picture('PowerVR texture (PVR)'),
  astc: picture('ASTC'),
  blp: picture('BLP'),
  fits: picture('FITS'),
  vicar: picture('VICAR'),
  viff: picture('VIFF'),
  nii: picture('NIfTI'),
  dcm: picture('DICOM'),
  cr2: cameraRawFormat('Canon CR2'),
  cr3: cameraRawFormat('Canon CR3'),
  crw: cameraRawFormat('Canon CRW'),
  nef: cameraRawFormat('Nikon NEF'),
  arw: cameraRawFormat('Sony ARW'),
  dng: cameraRawFormat('DNG'),
  orf: cameraRawFormat('Olympus ORF'),
  raf: cameraRawFormat('Fujifilm RAF'),
  rw2: cameraRawFormat('Panasonic RW2'),
  x3f: cameraRawFormat('Sigma X3F'),
  mrw: cameraRawFormat('Minolta MRW'),
} satisfies Record<string, Undecodable>;

/** A picture format that imgtool recognises but does not decode. */
export type Unread = keyof typeof UNREAD;

export const UNDECODABLE: Readonly<Record<string, Undecodable>> = UNREAD;

export const SVGZ: Undecodable = {
  name: 'compressed SVG (SVGZ)',
  fix: 'unpack it first with gunzip, and add {{allowSvg}} when you trust where the file comes from',
};

export function undecodable({ name, fix }: Undecodable): ImgtoolError {
  return new ImgtoolError('unsupported_format', `the decoder cannot read ${name}`, { fix });
}
