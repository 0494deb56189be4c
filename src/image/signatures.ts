import type { Unread } from './formats.ts';
import { isPcx, isTarga } from './headers.ts';

/** Signatures of formats that file-type does not know or confuses. Each is from the format's own specification. */

/** Bytes to search for text headers. */
const TEXT_BYTES = 2048;

/** Latin-1 text at an offset of the file. */
type Magic = readonly [at: number, text: string];

/** A format matches when all pieces of one of its rows match. */
const MAGIC: readonly (readonly [Unread, ...Magic[]])[] = [
  ['jxl', [0, '\xff\x0a']],
  ['jxl', [0, '\0\0\0\x0cJXL \r\n\x87\n']],
  ['jp2', [0, '\0\0\0\x0cjP  \r\n\x87\n']],
  ['jp2', [0, '\xff\x4f\xff\x51']],
  ['jxr', [0, 'II\xbc']],
  ['jls', [0, '\xff\xd8\xff\xf7']],
  ['psd', [0, '8BPS\0\x01']],
  ['psb', [0, '8BPS\0\x02']],
  ['xcf', [0, 'gimp xcf ']],
  ['psp', [0, 'Paint Shop Pro Image File\n\x1a']],
  ['kra', [30, 'mimetypeapplication/x-krita']],
  ['ora', [30, 'mimetypeimage/openraster']],
  ['exr', [0, 'v/1\x01']],
  ['hdr', [0, '#?RADIANCE']],
  ['hdr', [0, '#?RGBE']],
  ['dpx', [0, 'SDPX']],
  ['dpx', [0, 'XPDS']],
  ['cin', [0, '\x80\x2a\x5f\xd7']],
  ['dds', [0, 'DDS \x7c\0\0\0']],
  ['ktx', [0, '\xabKTX 11\xbb\r\n\x1a\n']],
  ['ktx2', [0, '\xabKTX 20\xbb\r\n\x1a\n']],
  ['pvr', [0, 'PVR\x03']],
  ['astc', [0, '\x13\xab\xa1\x5c']],
  ['blp', [0, 'BLP1']],
  ['blp', [0, 'BLP2']],
  ['sgi', [0, '\x01\xda\0\x01\0']],
  ['sgi', [0, '\x01\xda\x01\x01\0']],
  ['sgi', [0, '\x01\xda\0\x02\0']],
  ['sgi', [0, '\x01\xda\x01\x02\0']],
  ['ras', [0, '\x59\xa6\x6a\x95']],
  ['dcx', [0, '\xb1\x68\xde\x3a']],
  ['dcx', [0, '\x3a\xde\x68\xb1']],
  ['qoi', [0, 'qoif']],
  ['farbfeld', [0, 'farbfeld']],
  ['flif', [0, 'FLIF']],
  ['bpg', [0, 'BPG\xfb']],
  ['miff', [0, 'id=ImageMagick']],
  ['ilbm', [0, 'FORM'], [8, 'ILBM']],
  ['ilbm', [0, 'FORM'], [8, 'PBM ']],
  ['pict', [522, '\0\x11\x02\xff']],
  ['pcd', [2048, 'PCD_']],
  ['mng', [0, '\x8aMNG\r\n\x1a\n']],
  ['jng', [0, '\x8bJNG\r\n\x1a\n']],
  ['ani', [0, 'RIFF'], [8, 'ACON']],
  ['icns', [0, 'icns']],
  ['bmp', [0, 'BA'], [14, 'BM']],
  ['wmf', [0, '\xd7\xcd\xc6\x9a']],
  ['wmf', [0, '\x01\0\x09\0\0\x03']],
  ['emf', [0, '\x01\0\0\0'], [40, ' EMF']],
  ['cdr', [0, 'RIFF'], [8, 'CDR']],
  ['djvu', [0, 'AT&TFORM'], [12, 'DJV']],
  ['eps', [0, '\xc5\xd0\xd3\xc6']],
  ['fits', [0, 'SIMPLE  =']],
  ['vicar', [0, 'LBLSIZE=']],
  ['viff', [0, '\xab\x01']],
  ['nii', [344, 'n+1\0']],
  ['dcm', [128, 'DICM']],
  ['crw', [0, 'II\x1a\0\0\0HEAPCCDR']],
  ['cr3', [4, 'ftypcrx ']],
  ['raf', [0, 'FUJIFILMCCD-RAW']],
  ['rw2', [0, 'IIU\0']],
  ['orf', [0, 'IIRO']],
  ['orf', [0, 'IIRS']],
  ['orf', [0, 'MMOR']],
  ['x3f', [0, 'FOVb']],
  ['mrw', [0, '\0MRM']],
];

/** Matches words with white space and comments between them. It cannot backtrack: each character fits in one way. */
function netpbm(...words: readonly string[]): RegExp {
  return new RegExp(`^${words.join('(?:\\s|#[^\\r\\n]*[\\r\\n])+')}\\s`);
}

const NUMBER = '\\d+';

/** Patterns at the start of text formats. */
const TEXT_PATTERNS: readonly (readonly [Unread, RegExp])[] = [
  ['pdf', /^(?:[\s\S]{0,1020}?[\r\n])?%PDF-\d/],
  ['ai', /^%!PS-Adobe[\s\S]*?%%Creator: ?Adobe Illustrator/],
  ['eps', /^%!PS-Adobe-\d\.\d EPSF/],
  ['ps', /^\x04?%!PS/],
  ['pbm', netpbm('P[14]', NUMBER, NUMBER)],
  ['pgm', netpbm('P[25]', NUMBER, NUMBER, NUMBER)],
  ['ppm', netpbm('P[36]', NUMBER, NUMBER, NUMBER)],
  ['pam', netpbm('P7', '(?:WIDTH|HEIGHT|DEPTH|MAXVAL|TUPLTYPE)')],
  ['pfm', /^P[Ff]4?\s+\d+\s+\d+\s+-?[\d.]+\s/],
  ['xv', /^P7 332\s/],
  ['xpm', /^\s*\/\* XPM \*\//],
  ['xbm', /^\s*(?:\/\*(?:[^*]|\*(?!\/))*\*\/\s*)*#define\s+\w*_?width\s+\d+\s+#define\s+\w*_?height\s+\d/],
];

/** Returns the name of a picture format that imgtool does not decode; undefined for other files. */
export function recognise(bytes: Buffer): Unread | undefined {
  const has = ([at, text]: Magic) => bytes.toString('latin1', at, at + text.length) === text;
  const found = MAGIC.find(([, ...pieces]) => pieces.every(has));
  if (found !== undefined) return found[0];
  const text = bytes.toString('latin1', 0, TEXT_BYTES);
  const named = TEXT_PATTERNS.find(([, pattern]) => pattern.test(text));
  if (named !== undefined) return named[0];
  if (isPcx(bytes)) return 'pcx';
  return isTarga(bytes) ? 'tga' : undefined;
}
