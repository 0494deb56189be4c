import { constants, gunzipSync } from 'node:zlib';
import { ImgtoolError, svgRefused } from '../errors.ts';
import { DECODED, type SourceFormat, SVGZ, UNDECODABLE, undecodable } from './formats.ts';
import { heifKind } from './heif.ts';
import { recognise } from './signatures.ts';
import { unsupportedKind } from './unsupported.ts';

const PNG = '\x89PNG';
/** First bytes of a TIFF or BigTIFF in either byte order. */
const TIFF = new Set(['II*\0', 'MM\0*', 'II+\0', 'MM\0+']);

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
  if (isJpeg(bytes)) return 'jpeg';
  const head = bytes.subarray(0, HEAD);
  if (TIFF.has(head.toString('latin1', 0, 4))) return await tiff(bytes);
  if (isSvg(head)) {
    if (allowSvg) return 'svg';
    throw svgRefused();
  }
  const heif = heifKind(bytes);
  if (typeof heif === 'string') return heif;
  if (heif !== undefined) throw undecodable(heif);
  const found = recognise(bytes) ?? (await sniff(bytes));
  if (found === 'gz' && isSvg(unpacked(bytes))) throw undecodable(SVGZ);
  const decoded = found === undefined ? undefined : DECODED[found];
  if (decoded !== undefined) return decoded;
  const known = found === undefined ? undefined : UNDECODABLE[found];
  if (known !== undefined) throw undecodable(known);
  throw new ImgtoolError('not_an_image', `not an image: ${describe(found, head)} (${magic(head)})`, {
    fix: 'leave it out with {{exclude}}, or give it the extension of what it is',
  });
}

/** Gives the same answer as file-type, without loading it: file-type takes half as long to load as sharp. */
function isJpeg([first, second, third, fourth]: Uint8Array): boolean {
  // JPEG-LS starts with the same bytes.
  return first === 0xff && second === 0xd8 && third === 0xff && fourth !== 0xf7;
}

/** Distinguishes TIFF from camera raw by structure; file-type guesses from single tags. */
async function tiff(bytes: Uint8Array): Promise<SourceFormat> {
  const { cameraRaw } = await import('./tiff/kind.ts');
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const camera = cameraRaw((position, length) => buffer.subarray(position, position + length), buffer.length);
  if (camera !== null) throw undecodable(camera);
  return 'tiff';
}

async function sniff(bytes: Uint8Array): Promise<string | undefined> {
  const { fileTypeFromBuffer } = await import('file-type');
  const found = await fileTypeFromBuffer(bytes).catch(() => undefined);
  if (found !== undefined) return found.ext;
  // file-type reads beyond the signature and fails on a truncated file, which is still a PNG.
  return Buffer.from(bytes.subarray(0, 4)).toString('latin1') === PNG ? 'png' : undefined;
}

/** The start of a gzip file's content; empty when it cannot be unpacked. */
function unpacked(bytes: Buffer): Uint8Array {
  try {
    return gunzipSync(bytes.subarray(0, PACKED), { finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return new Uint8Array();
  }
}

/** True for text whose first element is `<svg`, after a byte order mark, prolog, comments and document type. */
function isSvg(head: Uint8Array): boolean {
  const text = new TextDecoder(charset(head)).decode(head);
  const before = /\s+|<\?[\s\S]*?\?>|<!--[\s\S]*?-->|<!doctype[^[>]*(?:\[[\s\S]*?\]\s*)?>/iy;
  let at = 0;
  while (before.test(text)) at = before.lastIndex;
  return /^<(?:[\w.-]+:)?svg[\s/>]/i.test(text.slice(at, at + 100));
}

function charset(head: Uint8Array): string {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  return 'utf-8';
}

function describe(found: string | undefined, head: Uint8Array): string {
  if (found !== undefined) return `content is ${found.toUpperCase()}`;
  if (head.every((byte) => byte === 0)) return 'content is nothing but zeros';
  const text = utf8(head.subarray(0, 512));
  if (text === null || /[\x00-\x08\x0e-\x1a\x1c-\x1f]/.test(text)) return 'content is not recognised';
  return /^\s*<(?:!doctype html|html|head|body)/i.test(text) ? 'content is HTML' : 'content is text';
}

function utf8(bytes: Uint8Array): string | null {
  try {
    // The last character may be incomplete.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: bytes.length > 4 });
  } catch {
    return null;
  }
}

function magic(head: Uint8Array): string {
  const hex = [...head.subarray(0, 4)].map((byte) => byte.toString(16).toUpperCase().padStart(2, '0'));
  return `magic bytes ${hex.join(' ')}`;
}
