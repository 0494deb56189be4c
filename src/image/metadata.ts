import { createHash, type Hash } from 'node:crypto';
import type { Metadata } from 'sharp';
import type { SourceFormat } from '../model.ts';
import { type Chunk, chunksOf, PNG_TEXTS } from './chunks.ts';
import { extensionsOf, LABEL, LOOPS } from './gif.ts';
import { directoryAt, openTiff } from './tiff/directory.ts';
import { TAG } from './tiff/tags.ts';

/** A picture's metadata: common name to stored size in bytes (compressed where the file compresses it). */
export type Carried = ReadonlyMap<string, number>;

/** Finds metadata by the structure of the file, including metadata that decoders skip. */
export function carriedBy(bytes: Buffer, format: SourceFormat, whole: boolean): Carried {
  const found = new Map<string, number>();
  const others = format === 'tiff' ? namesInTiff(bytes) : format === 'gif' ? namesInGif(bytes) : [];
  for (const name of others) found.set(name, 1);
  for (const each of chunksOf(bytes, format, whole)) {
    const name = NAMES[format]?.(each) ?? null;
    if (name !== null) found.set(name, (found.get(name) ?? 0) + each.length);
  }
  return found;
}

/** Finds metadata that the decoder reports. */
export function carriedIn(metadata: Metadata): Carried {
  const { exif, xmp, iptc, icc, tifftagPhotoshop, gainMap, comments = [] } = metadata;
  const comment = comments.reduce((sum, { keyword, text }) => sum + keyword.length + text.length, 0);
  const blobs = { exif, xmp, iptc, icc, photoshop: tifftagPhotoshop, 'gain map': gainMap?.image };
  const found = Object.entries(blobs).map(([name, blob]) => [name, blob?.length ?? 0] as const);
  return new Map([...found, ['comment', comment] as const].filter(([, length]) => length > 0));
}

/** The SHA-256 of each kind of metadata in a stored picture, in lower-case hex. */
export function digestsOf(bytes: Buffer, format: SourceFormat, metadata: Metadata): Map<string, string> {
  const hashes = new Map<string, Hash>();
  const add = (name: string, content: Buffer) => {
    hashes.set(name, (hashes.get(name) ?? createHash('sha256')).update(content));
  };
  for (const each of chunksOf(bytes, format, true)) {
    const name = NAMES[format]?.(each) ?? null;
    if (name !== null) add(name, bytes.subarray(each.at, each.at + each.length));
  }
  const { exif, xmp, iptc, icc } = metadata;
  for (const [name, block] of Object.entries({ exif, xmp, iptc, icc })) {
    if (block !== undefined && !hashes.has(name)) add(name, block);
  }
  return new Map([...hashes].map(([name, hash]) => [name, hash.digest('hex')]));
}

const GIF_NAMES: Readonly<Record<string, string>> = { 'XMP DataXMP': 'xmp', ICCRGBG1012: 'icc' };

/** What a GIF contains beside its pictures. */
function namesInGif(bytes: Buffer): Set<string> {
  const names = new Set<string>();
  for (const { label, blocks } of extensionsOf(bytes)) {
    const name = blocks[0]?.toString('latin1') ?? '';
    if (label === LABEL.comment) names.add('comment');
    else if (label === LABEL.application && !LOOPS.has(name)) names.add(GIF_NAMES[name] ?? name);
  }
  return names;
}

/** Tags of a TIFF that are EXIF. */
const EXIF_TAGS = [TAG.ImageDescription, TAG.Make, TAG.Model, TAG.Artist, TAG.Copyright, TAG.ExifDirectory];

/** What a TIFF contains that libvips does not report. */
function namesInTiff(bytes: Buffer): string[] {
  const tiff = openTiff((at, length) => bytes.subarray(at, at + length), bytes.length);
  const first = tiff && directoryAt(tiff, tiff.first);
  const hasExif = EXIF_TAGS.some((tag) => first?.has(tag) === true);
  return [...(hasExif ? ['exif'] : []), ...(first?.has(TAG.GpsDirectory) === true ? ['gps'] : [])];
}

/** The common name of a chunk; null for a chunk that only describes how to store or show the pixels. */
const NAMES: Partial<Record<SourceFormat, (chunk: Chunk) => string | null>> = {
  jpeg: nameOfSegment,
  png: ({ type, start }) => {
    if (PNG_TEXTS.has(type)) return nameOfText(start);
    return PNG_PLAIN.has(type) ? null : (PNG_NAMES[type] ?? type);
  },
  webp: ({ type }) => (WEBP_PLAIN.has(type) ? null : (WEBP_NAMES[type] ?? type)),
};

const PNG_PLAIN = new Set(
  'IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB sBIT bKGD pHYs hIST sPLT cICP mDCV cLLI acTL fcTL fdAT'.split(' '),
);
const PNG_NAMES: Readonly<Record<string, string>> = { eXIf: 'exif', iCCP: 'icc', tIME: 'time' };
const WEBP_PLAIN = new Set(['VP8 ', 'VP8L', 'VP8X', 'ALPH', 'ANIM', 'ANMF']);
const WEBP_NAMES: Readonly<Record<string, string>> = { EXIF: 'exif', 'XMP ': 'xmp', ICCP: 'icc' };

/** PNG stores XMP and ImageMagick's raw profiles as named texts. */
function nameOfText(start: string): string {
  if (start.startsWith('XML:com.adobe.xmp\0')) return 'xmp';
  return /^Raw profile type (exif|iptc|xmp)\0/.exec(start)?.[1] ?? 'comment';
}

function nameOfSegment({ type, start, length }: Chunk): string | null {
  if (type === 'COM') return 'comment';
  if (type === 'trailer') return type;
  if (!type.startsWith('APP')) return null;
  // 14 bytes hold only the resolution; a longer segment contains a thumbnail.
  if (start.startsWith('JFIF\0')) return length > 14 ? 'thumbnail' : null;
  if (start.startsWith('JFXX\0')) return 'thumbnail';
  // Adobe's APP14 describes the colour encoding.
  if (type === 'APP14' && start.startsWith('Adobe')) return null;
  if (start.startsWith('Exif\0')) return 'exif';
  if (start.startsWith('http://ns.adobe.com/')) return 'xmp';
  if (start.startsWith('ICC_PROFILE\0')) return 'icc';
  if (start.startsWith('Photoshop')) return 'iptc';
  return type;
}
