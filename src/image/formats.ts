import type { Limits, SourceFormat } from '../model.ts';
import { isBitmap } from './bmp/bitmap.ts';
import type { Source } from './open.ts';
import type { Examined } from './plain.ts';
import type { PageRange } from './region.ts';
import { ICON, isPcx, isTarga, NUMBER, netpbm, XBM } from './signatures.ts';
import { CONVERT, cameraRawFormat, type Undecodable } from './unreadable.ts';

/** Bytes that signatures search. */
const SEARCHED = 2052;

/** A pattern of the start of the file as Latin-1, or a test of its bytes. Null where detect.ts or file-type knows it. */
type Signature = RegExp | ((bytes: Buffer) => boolean) | null;

/** Decides how to read a picture that libvips may not be able to read as it is. */
type Examine = (source: Source, limits: Limits, range: PageRange) => Promise<Examined>;

/** How a format is recognised and read: by a loader of libvips, or by a decoder that makes a plain picture, or by both. */
type Reader = {
  readonly signature: Signature;
  /** True for a signature that files of other formats may have too, so it is looked for last. */
  readonly isWeak?: true;
  /** True when the compression loses detail. */
  readonly isLossy?: true;
} & (
  | { readonly loader: string; readonly examine?: Examine }
  | { readonly loader?: undefined; readonly examine: Examine }
);

/** Every format that can be read. Its extensions are in model/sources.ts. */
export const READERS: Readonly<Record<SourceFormat, Reader>> = {
  // JPEG-LS starts with the same bytes.
  jpeg: { signature: /^\xff\xd8\xff(?!\xf7)/, loader: 'Jpeg', isLossy: true },
  png: { signature: /^\x89PNG/, loader: 'Png' },
  webp: { signature: /^RIFF.{4}WEBP/s, loader: 'Webp', isLossy: true },
  // heif.ts recognises AVIF and HEIC. This signature is that of a file that ends before its brands.
  avif: { signature: /^.{4}ftypavif/s, isWeak: true, loader: 'Heif', isLossy: true },
  gif: { signature: /^GIF/, loader: 'Nsgif' },
  tiff: {
    signature: /^(?:II[*+]\0|MM\0[*+])/,
    loader: 'Tiff',
    examine: async (...all) => (await import('./tiff/examine.ts')).examineTiff(...all),
  },
  bmp: {
    signature: isBitmap,
    isWeak: true,
    examine: async (source, limits) => (await import('./bmp/examine.ts')).examineBitmap(source, limits),
  },
  ico: {
    signature: ICON,
    isWeak: true,
    examine: async (source, limits) => (await import('./bmp/examine.ts')).examineBitmap(source, limits, true),
  },
  heic: {
    signature: null,
    examine: async (source, limits) => (await import('./heic/examine.ts')).examineHeic(source, limits),
    isLossy: true,
  },
  svg: { signature: null, loader: 'Svg' },
};

/** The names of all formats that can be read. */
export const READ = Object.keys(READERS) as readonly SourceFormat[];

/** A format that is recognised but not read. */
type Unread = Undecodable & { readonly signature: Signature };

const EXPORT = 'export it from the editor as PNG or JPEG first';
const EXPORT_PAGES = 'export its pages as PNG or JPEG first';

const picture = (name: string, signature: Signature = null): Unread => ({ name, fix: CONVERT, signature });
const edited = (name: string, signature: Signature = null): Unread => ({ name, fix: EXPORT, signature });
const pages = (name: string, signature: Signature = null): Unread => ({ name, fix: EXPORT_PAGES, signature });
const raw = (name: string, signature: Signature = null): Unread => ({ ...cameraRawFormat(name), signature });

/**
 * The picture formats that are recognised but not read, by the extensions that file-type uses. Signatures are from the
 * format's own specification; file-type does not know these formats, or confuses them. The first match counts.
 */
export const UNREAD: Readonly<Record<string, Unread>> & { readonly [F in SourceFormat]?: never } = {
  ...{ j2c: picture('JPEG 2000'), jpm: picture('JPEG 2000'), jpx: picture('JPEG 2000') },
  ...{ mj2: picture('Motion JPEG 2000'), indd: edited('Adobe InDesign (INDD)') },
  ...{ cr2: raw('Canon CR2'), nef: raw('Nikon NEF'), arw: raw('Sony ARW'), dng: raw('DNG') },
  jxl: picture('JPEG XL', /^(?:\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n)/),
  jp2: picture('JPEG 2000', /^(?:\0\0\0\x0cjP {2}\r\n\x87\n|\xff\x4f\xff\x51)/),
  jxr: picture('JPEG XR', /^II\xbc/),
  jls: picture('JPEG-LS', /^\xff\xd8\xff\xf7/),
  psd: edited('Photoshop (PSD)', /^8BPS\0\x01/),
  psb: edited('Photoshop (PSB)', /^8BPS\0\x02/),
  xcf: edited('GIMP (XCF)', /^gimp xcf /),
  psp: edited('Paint Shop Pro (PSP)', /^Paint Shop Pro Image File\n\x1a/),
  kra: edited('Krita (KRA)', /^.{30}mimetypeapplication\/x-krita/s),
  ora: edited('OpenRaster (ORA)', /^.{30}mimetypeimage\/openraster/s),
  exr: picture('OpenEXR', /^v\/1\x01/),
  hdr: picture('Radiance HDR', /^#\?(?:RADIANCE|RGBE)/),
  dpx: picture('DPX', /^(?:SDPX|XPDS)/),
  cin: picture('Cineon', /^\x80\x2a\x5f\xd7/),
  dds: picture('DirectDraw surface (DDS)', /^DDS \x7c\0\0\0/),
  ktx: picture('KTX', /^\xabKTX 11\xbb\r\n\x1a\n/),
  ktx2: picture('KTX 2', /^\xabKTX 20\xbb\r\n\x1a\n/),
  pvr: picture('PowerVR texture (PVR)', /^PVR\x03/),
  astc: picture('ASTC', /^\x13\xab\xa1\x5c/),
  blp: picture('BLP', /^BLP[12]/),
  sgi: picture('SGI', /^\x01\xda[\0\x01][\x01\x02]\0/),
  ras: picture('Sun raster', /^\x59\xa6\x6a\x95/),
  dcx: picture('DCX', /^(?:\xb1\x68\xde\x3a|\x3a\xde\x68\xb1)/),
  qoi: picture('QOI', /^qoif/),
  farbfeld: picture('farbfeld', /^farbfeld/),
  flif: picture('FLIF', /^FLIF/),
  bpg: picture('BPG', /^BPG\xfb/),
  miff: picture('MIFF', /^id=ImageMagick/),
  ilbm: picture('Amiga ILBM', /^FORM.{4}(?:ILBM|PBM )/s),
  pict: picture('PICT', /^.{522}\0\x11\x02\xff/s),
  pcd: picture('Photo CD', /^.{2048}PCD_/s),
  mng: picture('MNG', /^\x8aMNG\r\n\x1a\n/),
  jng: picture('JNG', /^\x8bJNG\r\n\x1a\n/),
  ani: picture('animated cursor (ANI)', /^RIFF.{4}ACON/s),
  icns: picture('ICNS', /^icns/),
  wmf: picture('Windows metafile (WMF)', /^(?:\xd7\xcd\xc6\x9a|\x01\0\x09\0\0\x03)/),
  emf: picture('Windows metafile (EMF)', /^\x01\0\0\0.{36} EMF/s),
  cdr: edited('CorelDRAW (CDR)', /^RIFF.{4}CDR/s),
  djvu: pages('DjVu', /^AT&TFORM.{4}DJV/s),
  fits: picture('FITS', /^SIMPLE {2}=/),
  vicar: picture('VICAR', /^LBLSIZE=/),
  viff: picture('VIFF', /^\xab\x01/),
  nii: picture('NIfTI', /^.{344}n\+1\0/s),
  dcm: picture('DICOM', /^.{128}DICM/s),
  crw: raw('Canon CRW', /^II\x1a\0\0\0HEAPCCDR/),
  cr3: raw('Canon CR3', /^.{4}ftypcrx /s),
  raf: raw('Fujifilm RAF', /^FUJIFILMCCD-RAW/),
  rw2: raw('Panasonic RW2', /^IIU\0/),
  orf: raw('Olympus ORF', /^(?:IIR[OS]|MMOR)/),
  x3f: raw('Sigma X3F', /^FOVb/),
  mrw: raw('Minolta MRW', /^\0MRM/),
  pdf: pages('PDF', /^(?:[\s\S]{0,1020}?[\r\n])?%PDF-\d/),
  ai: edited('Adobe Illustrator (AI)', /^%!PS-Adobe[\s\S]*?%%Creator: ?Adobe Illustrator/),
  eps: picture('EPS', /^(?:\xc5\xd0\xd3\xc6|%!PS-Adobe-\d\.\d EPSF)/),
  ps: pages('PostScript', /^\x04?%!PS/),
  pbm: picture('PBM', netpbm('P[14]', NUMBER, NUMBER)),
  pgm: picture('PGM', netpbm('P[25]', NUMBER, NUMBER, NUMBER)),
  ppm: picture('PPM', netpbm('P[36]', NUMBER, NUMBER, NUMBER)),
  pam: picture('PAM', netpbm('P7', '(?:WIDTH|HEIGHT|DEPTH|MAXVAL|TUPLTYPE)')),
  pfm: picture('PFM', /^P[Ff]4?\s+\d+\s+\d+\s+-?[\d.]+\s/),
  xv: picture('XV thumbnail', /^P7 332\s/),
  xpm: picture('XPM', /^\s*\/\* XPM \*\//),
  xbm: picture('XBM', XBM),
  pcx: picture('PCX', isPcx),
  tga: picture('Targa (TGA)', isTarga),
};

/** The format that can be read and has this signature, weak or not. */
export function readFormat(bytes: Buffer, isWeak: boolean): SourceFormat | undefined {
  const has = matcher(bytes);
  return READ.find((format) => (READERS[format].isWeak ?? false) === isWeak && has(READERS[format]));
}

/** Recognises a picture format that is not read; undefined for other files. */
export function unreadFormat(bytes: Buffer): Undecodable | undefined {
  return Object.values(UNREAD).find(matcher(bytes));
}

function matcher(bytes: Buffer): (one: { readonly signature: Signature }) => boolean {
  const start = bytes.toString('latin1', 0, SEARCHED);
  return ({ signature }) =>
    signature instanceof RegExp ? signature.test(start) : signature?.(bytes) === true;
}
