// The files in a folder that are pictures by their names. How a format is read is in image/formats.ts.

/**
 * Every format that can be read, with the extensions by which a walk finds its files. `avif` is every HEIF picture with
 * AV1, and `ico` is CUR too.
 */
const EXTENSIONS_READ = {
  jpeg: 'jpg jpeg jpe jfif',
  png: 'png',
  webp: 'webp',
  avif: 'avif',
  gif: 'gif',
  tiff: 'tif tiff',
  bmp: 'bmp',
  ico: 'ico',
  heic: 'heic heif',
  svg: 'svg',
} as const;

/** A format of sources that can be read. */
export type SourceFormat = keyof typeof EXTENSIONS_READ;

export const SOURCE_FORMATS = Object.keys(EXTENSIONS_READ).filter((word): word is SourceFormat =>
  Object.hasOwn(EXTENSIONS_READ, word),
);

/** Extensions that a walk takes, although the image then fails. */
const TAKEN = 'jxl jp2';

/** Extensions of other pictures and of videos, which a walk does not take, by what people call them. */
const UNSUPPORTED: Readonly<Record<string, string>> = {
  'camera raw':
    '3fr ari arw bay cr2 cr3 crw dcr dcs dng erf fff gpr iiq k25 kdc mef mos mrw nef nrw orf pef ptx r3d raf raw ' +
    'rw2 rwl rwz sr2 srf srw x3f',
  HEIF: 'hif heics heifs avci avcs',
  MPO: 'mpo jps',
  PDF: 'pdf',
  Photoshop: 'psd psb',
  'Illustrator or PostScript': 'ai eps epsf epsi ps',
  'compressed SVG': 'svgz',
  'JPEG 2000': 'j2k j2c jpc jpf jpm jpx',
  'JPEG XR': 'jxr wdp hdp',
  'APNG or MNG': 'apng mng jng',
  Targa: 'tga',
  'OpenEXR or HDR': 'exr hdr',
  'GIMP, Krita or OpenRaster': 'xcf kra ora',
  'Affinity or CorelDRAW': 'afphoto afdesign cdr',
  'Windows metafile': 'wmf emf',
  'icon or cursor': 'icns cur ani',
  DjVu: 'djvu djv',
  DICOM: 'dcm dicom',
  video:
    '3g2 3gp asf avi braw f4v flv insv lrv m2ts m2v m4v mkv mod mov mp4 mpe mpeg mpg mts mxf ogv tod vob webm wmv',
  'other picture':
    'bpg cin dds dib dpx flif jls pam pbm pcd pcx pfm pgm pict pnm ppm psp qoi ras sgi xbm xpm',
};

/** The extensions of files that a walk takes, in lower case. */
export const PICTURE_EXTENSIONS: ReadonlySet<string> = new Set(
  [...Object.values(EXTENSIONS_READ), TAKEN].join(' ').split(' '),
);

/** What people call the pictures and videos that no walk takes, by extension in lower case. */
export const UNSUPPORTED_KINDS: ReadonlyMap<string, string> = new Map(
  Object.entries(UNSUPPORTED).flatMap(([kind, words]) => words.split(' ').map((one) => [one, kind])),
);
