import { CONVERT, cameraRawFormat, type Undecodable } from './formats.ts';

/** Bytes that signatures search. */
const SEARCHED = 2052;

/** The signature matches the start of the file as Latin-1; absent where only file-type or a header knows the format. */
type Unread = Undecodable & { readonly signature: RegExp | undefined };

const EXPORT = 'export it from the editor as PNG or JPEG first';
const PAGES = 'export its pages as PNG or JPEG first';

const picture = (name: string, signature?: RegExp): Unread => ({ name, fix: CONVERT, signature });
const edited = (name: string, signature?: RegExp): Unread => ({ name, fix: EXPORT, signature });
const pages = (name: string, signature?: RegExp): Unread => ({ name, fix: PAGES, signature });
const raw = (name: string, signature?: RegExp): Unread => ({ ...cameraRawFormat(name), signature });

/** Matches words with white space and comments between them. It cannot backtrack: each character fits in one way. */
function netpbm(...words: readonly string[]): RegExp {
  return new RegExp(`^${words.join('(?:\\s|#[^\\r\\n]*[\\r\\n])+')}\\s`);
}

const NUMBER = '\\d+';
const XBM = /^\s*(?:\/\*(?:[^*]|\*(?!\/))*\*\/\s*)*#define\s+\w*_?width\s+\d+\s+#define\s+\w*_?height\s+\d/;

/**
 * The picture formats that imgtool recognises but does not decode, by the extensions that file-type uses. Signatures are
 * from the format's own specification; file-type does not know these formats, or confuses them. The first match counts.
 */
export const UNDECODABLE: Readonly<Record<string, Unread>> = {
  ...{ pcx: picture('PCX'), tga: picture('Targa (TGA)') },
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
};

/** Recognises a picture format that imgtool does not decode; undefined for other files. */
export function recognise(bytes: Buffer): Undecodable | undefined {
  const start = bytes.toString('latin1', 0, SEARCHED);
  const found = Object.values(UNDECODABLE).find(({ signature }) => signature?.test(start));
  if (found !== undefined) return found;
  if (isPcx(bytes)) return UNDECODABLE.pcx;
  return isTarga(bytes) ? UNDECODABLE.tga : undefined;
}

/** PCX: manufacturer 10, version, encoding, bits, a window; after the palette, a zero and the number of planes. */
function isPcx(bytes: Buffer): boolean {
  const start = bytes.toString('latin1', 0, 4);
  if (bytes.length < 128 || !/^\x0a[\0\x02-\x05][\0\x01][\x01\x02\x04\x08]/.test(start)) return false;
  const [left, top, right, bottom] = [4, 6, 8, 10].map((at) => bytes.readUInt16LE(at));
  const planes = bytes[65]!;
  return left! <= right! && top! <= bottom! && bytes[64] === 0 && planes >= 1 && planes <= 4;
}

const FOOTER = 'TRUEVISION-XFILE.\0';

/** Bits per pixel by Targa image type without its run-length bit: none, colour-mapped, full colour, grey. */
const DEPTHS = [[], [8, 16], [15, 16, 24, 32], [8, 16]];
const RUN_LENGTH = 8;

/** Recognises Targa by its footer (version 2), or by a header with allowed values in every field. */
function isTarga(bytes: Buffer): boolean {
  if (bytes.length < 18) return false;
  if (bytes.toString('latin1', bytes.length - FOOTER.length) === FOOTER) return true;
  const [type, depth, descriptor] = [bytes[2]! & ~RUN_LENGTH, bytes[16]!, bytes[17]!];
  if (!DEPTHS[type]?.includes(depth)) return false;
  const [width, height] = [bytes.readUInt16LE(12), bytes.readUInt16LE(14)];
  // The low four bits count the alpha bits; bits 6 and 7 are unused.
  if (width === 0 || height === 0 || descriptor >= 0x40 || ![0, 1, 8].includes(descriptor & 0x0f))
    return false;
  return hasColourMap(bytes, type === 1);
}

/** Checks the five bytes of the colour map. Only an image with indexed colours must have a colour map. */
function hasColourMap(bytes: Buffer, isNeeded: boolean): boolean {
  const [kind, entries, bits] = [bytes[1]!, bytes.readUInt16LE(5), bytes[7]!];
  if (kind === 0) return !isNeeded && bytes.readUInt16LE(3) === 0 && entries === 0 && bits === 0;
  return kind === 1 && entries > 0 && entries <= 4096 && [15, 16, 24, 32].includes(bits);
}
