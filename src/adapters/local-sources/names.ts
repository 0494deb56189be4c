import type { WalkRules } from '../../model.ts';

const PICTURE = /\.(jpe?g|jpe|jfif|png|webp|avif|gif|tiff?|bmp|ico|heic|heif|jxl|jp2|svg)$/i;

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

const KINDS = new Map(
  Object.entries(UNSUPPORTED).flatMap(([kind, extensions]) =>
    extensions.split(' ').map((one) => [one, kind]),
  ),
);

/**
 * Folders that systems keep for themselves, for example for thumbnails, deleted files and snapshots. Names that begin
 * with a dot are hidden anyway.
 */
const SYSTEM_FOLDERS: ReadonlySet<string> = new Set([
  // Synology DSM.
  ...['@eadir', '@tmp', '@sharebin', '@sharesnap', '#recycle', '#snapshot'],
  // QNAP QTS, and other network storage.
  ...['@recycle', '@recently-snapshot', '@transcode', '~snapshot', 'network trash folder', 'temporary items'],
  // Windows.
  ...['$recycle.bin', 'recycler', 'recycled', 'system volume information', '$extend', 'found.000'],
  // macOS: what an archive holds beside the files.
  '__macosx',
  // ext2, ext3 and ext4.
  'lost+found',
]);

export function isSystemFolder(name: string): boolean {
  return SYSTEM_FOLDERS.has(name.toLowerCase());
}

/** Whether a walk takes a file with this name. */
export function mayBeSource(name: string, { allFiles }: Pick<WalkRules, 'allFiles'>): boolean {
  return allFiles || hasPictureName(name);
}

export function hasPictureName(name: string): boolean {
  return PICTURE.test(name);
}

/** What a person calls a file with this name, if that is a picture or video of a format that no walk takes. */
export function unsupportedKind(name: string): string | undefined {
  return KINDS.get(/\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? '');
}

/** The existing path that a mistyped one most likely means. */
export type NearPath = (given: string, cwd: string) => string | undefined;

export function didYouMean(given: string, cwd: string, nearPath?: NearPath): string | undefined {
  // A glob has no near path: its parts match many names.
  const near = /[*?[{]/.test(given) ? undefined : nearPath?.(given, cwd);
  return near && `did you mean ${near}?`;
}
