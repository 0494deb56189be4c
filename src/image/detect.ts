import { constants, gunzipSync } from 'node:zlib';
import { ImgtoolError, svgRefused } from '../errors.ts';
import { type SourceFormat, type Undecodable, undecodable } from './formats.ts';
import { heifKind } from './heif.ts';
import { recognise, UNDECODABLE } from './signatures.ts';
import { unsupportedKind } from './unsupported.ts';

/** First bytes of a TIFF or BigTIFF in either byte order. */
const TIFF = new Set(['II*\0', 'MM\0*', 'II+\0', 'MM\0+']);

/** Maps file-type's extensions to decoders. HEIF and SVG are examined more closely. */
const DECODED: Readonly<Record<string, SourceFormat>> = {
  ...{ jpg: 'jpeg', png: 'png', apng: 'png', webp: 'webp', gif: 'gif', tif: 'tiff', avif: 'avif' },
};

const SVGZ: Undecodable = {
  name: 'compressed SVG (SVGZ)',
  fix: 'unpack it first with gunzip, and add {{allowSvg}} when you trust where the file comes from',
};

/** Bytes at the start of a file to search for text and container boxes. */
const HEAD = 64 * 1024;

/** Compressed bytes to unpack for recognition; they unpack to at most a thousand times as many. */
const PACKED = 4096;

/**
 * Detects a picture's format from its bytes, not from its name. Errors, without the path: `not_an_image`, and
 * `unsupported_format`, which includes variants of a format that the decoder cannot read.
 */
export async function detect(bytes: Buffer, allowSvg: boolean): Promise<SourceFormat> {
  const format = await formatOf(bytes, allowSvg);
  const kind = unsupportedKind(bytes, format);
  if (kind !== undefined) throw undecodable(kind);
  return format;
}

async function formatOf(bytes: Buffer, allowSvg: boolean): Promise<SourceFormat> {
  if (bytes.length === 0) {
    throw new ImgtoolError('not_an_image', 'not an image: empty file', { fix: 'copy the file again' });
  }
  const start = bytes.toString('latin1', 0, 4);
  // JPEG-LS starts with the same bytes. The test is that of file-type, which takes half as long to load as sharp.
  if (start.startsWith('\xff\xd8\xff') && start[3] !== '\xf7') return 'jpeg';
  if (TIFF.has(start)) return await tiff(bytes);
  const head = bytes.subarray(0, HEAD);
  if (isSvg(head)) {
    if (allowSvg) return 'svg';
    throw svgRefused();
  }
  const heif = heifKind(bytes);
  if (typeof heif === 'string') return heif;
  const known = heif ?? recognise(bytes);
  if (known !== undefined) throw undecodable(known);
  const found = await sniff(bytes);
  const decoded = DECODED[found];
  if (decoded !== undefined) return decoded;
  const unread = found === 'gz' && isSvg(unpacked(bytes)) ? SVGZ : UNDECODABLE[found];
  if (unread !== undefined) throw undecodable(unread);
  const hex = head.toString('hex', 0, 4).toUpperCase();
  const magic = hex.replace(/..(?=.)/g, '$& ');
  const content = found === '' ? describe(head) : found.toUpperCase();
  throw new ImgtoolError('not_an_image', `not an image: content is ${content} (magic bytes ${magic})`, {
    fix: 'leave it out with {{exclude}}, or give it the extension of what it is',
  });
}

/** Distinguishes TIFF from camera raw by structure; file-type guesses from single tags. */
async function tiff(bytes: Buffer): Promise<SourceFormat> {
  const { cameraRaw } = await import('./tiff/kind.ts');
  const camera = cameraRaw((position, length) => bytes.subarray(position, position + length), bytes.length);
  if (camera !== null) throw undecodable(camera);
  return 'tiff';
}

/** Returns file-type's extension; empty for an unknown file. */
async function sniff(bytes: Buffer): Promise<string> {
  const { fileTypeFromBuffer } = await import('file-type');
  const found = await fileTypeFromBuffer(bytes).catch(() => undefined);
  // file-type reads beyond the signature and fails on a truncated file, which is still a PNG.
  return found?.ext ?? (bytes.toString('latin1', 0, 4) === '\x89PNG' ? 'png' : '');
}

/** The start of a gzip file's content; empty when it cannot be unpacked. */
function unpacked(bytes: Buffer): Buffer {
  try {
    return gunzipSync(bytes.subarray(0, PACKED), { finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return Buffer.alloc(0);
  }
}

/** By byte order mark. */
const CHARSETS: Readonly<Record<string, string>> = { fffe: 'utf-16le', feff: 'utf-16be' };

/** True for text whose first element is `<svg`, after a byte order mark, prolog, comments and document type. */
function isSvg(head: Buffer): boolean {
  const text = new TextDecoder(CHARSETS[head.toString('hex', 0, 2)] ?? 'utf-8').decode(head);
  const before = /\s+|<\?[\s\S]*?\?>|<!--[\s\S]*?-->|<!doctype[^[>]*(?:\[[\s\S]*?\]\s*)?>/iy;
  let at = 0;
  while (before.test(text)) at = before.lastIndex;
  return /^<(?:[\w.-]+:)?svg[\s/>]/i.test(text.slice(at, at + 100));
}

function describe(head: Buffer): string {
  if (head.every((byte) => byte === 0)) return 'nothing but zeros';
  const bytes = head.subarray(0, 512);
  try {
    // The last character may be incomplete.
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: bytes.length > 4 });
    if (/[\x00-\x08\x0e-\x1a\x1c-\x1f]/.test(text)) return 'not recognised';
    return /^\s*<(?:!doctype html|html|head|body)/i.test(text) ? 'HTML' : 'text';
  } catch {
    return 'not recognised';
  }
}
