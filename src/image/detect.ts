import { constants, gunzipSync } from 'node:zlib';
import { ImgtoolError, orUndefined, svgRefused } from '../errors.ts';
import type { SourceFormat } from '../model.ts';
import { type Chunk, chunksOf } from './chunks.ts';
import { readFormat, UNREAD, unreadFormat } from './formats.ts';
import { heifKind } from './heif.ts';
import { RESAVE, type Undecodable, undecodable } from './unreadable.ts';

const SVGZ: Undecodable = {
  name: 'compressed SVG (SVGZ)',
  fix: 'unpack it first with gunzip, and add {{allowSvg}} when you trust where the file comes from',
};

/** Answers of file-type that say little: nothing, or by the first bytes alone. */
const UNSURE = new Set(['', 'bmp', 'ico', 'cur']);

/** Bytes at the start of a file to search for text and container boxes. */
const HEAD = 64 * 1024;

/** Compressed bytes to unpack for recognition; they unpack to at most a thousand times as many. */
const PACKED = 4096;

/** Detects the format by the bytes, not the name. Errors, without the path: `not_an_image`, `unsupported_format`. */
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
  const format = readFormat(bytes, false);
  if (format === 'tiff') await assertNoCameraRaw(bytes);
  if (format !== undefined) return format;
  const head = bytes.subarray(0, HEAD);
  if (isSvg(head)) {
    if (allowSvg) return 'svg';
    throw svgRefused();
  }
  const heif = heifKind(bytes);
  if (typeof heif === 'string') return heif;
  const known = heif ?? unreadFormat(bytes);
  if (known !== undefined) throw undecodable(known);
  const weak = readFormat(bytes, true);
  if (weak !== undefined) return weak;
  // This package takes half as long to load as sharp.
  const { fileTypeFromBuffer } = await import('file-type');
  const found = (await fileTypeFromBuffer(bytes).catch(() => undefined))?.ext ?? '';
  const unread = found === 'gz' && isSvg(unpacked(bytes)) ? SVGZ : UNREAD[found];
  if (unread !== undefined) throw undecodable(unread);
  const hex = head.toString('hex', 0, 4).toUpperCase();
  const magic = hex.replace(/..(?=.)/g, '$& ');
  const content = UNSURE.has(found) ? describe(head) : found.toUpperCase();
  throw new ImgtoolError('not_an_image', `not an image: content is ${content} (magic bytes ${magic})`, {
    fix: 'leave it out with {{exclude}}, or give it the extension of what it is',
  });
}

/** Distinguishes TIFF from camera raw by structure; file-type guesses from single tags. */
async function assertNoCameraRaw(bytes: Buffer): Promise<void> {
  const { cameraRaw } = await import('./tiff/kind.ts');
  const camera = cameraRaw((position, length) => bytes.subarray(position, position + length), bytes.length);
  if (camera !== null) throw undecodable(camera);
}

/** The start of a gzip file's content; empty when it cannot be unpacked. */
function unpacked(bytes: Buffer): Buffer {
  const options = { finishFlush: constants.Z_SYNC_FLUSH };
  return orUndefined(() => gunzipSync(bytes.subarray(0, PACKED), options)) ?? Buffer.alloc(0);
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

/** JPEG processes that no decoder here reads, by the marker of the frame header (ITU-T T.81, table B.1). */
const HIERARCHICAL = new Set(['c5', 'c6', 'c7', 'cd', 'ce', 'cf']);
const OTHERS: Readonly<Record<string, string>> = {
  cb: 'lossless JPEG with arithmetic coding',
  f7: 'JPEG-LS',
};
/** Supported: baseline, extended, progressive and lossless; extended and progressive with arithmetic coding. */
const SUPPORTED = new Set(['c0', 'c1', 'c2', 'c3', 'c9', 'ca']);
const LOSSLESS = 'c3';

const XCODE_PNG: Undecodable = {
  name: 'PNG as Xcode optimises it for iOS (CgBI)',
  fix: 'take the original, or convert it back: xcrun pngcrush -revert-iphone-optimizations',
};

/** The kind of a sound picture that no decoder here reads; undefined when the structure does not show one. */
function unsupportedKind(bytes: Buffer, format: SourceFormat): Undecodable | undefined {
  if (format !== 'jpeg' && format !== 'png') return undefined;
  for (const chunk of chunksOf(bytes, format, false)) {
    if (format === 'png') return chunk.type === 'CgBI' ? XCODE_PNG : undefined;
    const name = HIERARCHICAL.has(chunk.type) ? 'hierarchical JPEG' : OTHERS[chunk.type];
    if (name === undefined && !SUPPORTED.has(chunk.type)) continue;
    if (!isFrame(chunk)) return undefined;
    return name === undefined ? unsupportedFrame(chunk, bytes) : { name, fix: RESAVE.baseline };
  }
  return undefined;
}

/** A frame header has 6 bytes, plus 3 for each component. */
const isFrame = ({ start, length }: Chunk): boolean => length === 6 + 3 * start.charCodeAt(5);

function unsupportedFrame({ type, start }: Chunk, bytes: Buffer): Undecodable | undefined {
  const [precision, components] = [start.charCodeAt(0), start.charCodeAt(5)];
  const known = type === LOSSLESS ? precision >= 2 && precision <= 16 : precision === 12;
  if (precision !== 8 && known) return { name: `${precision}-bit JPEG`, fix: RESAVE.eightBits };
  if (components === 2 || components > 4)
    return { name: `JPEG with ${components} colour components`, fix: RESAVE.colours };
  const height = start.charCodeAt(1) * 256 + start.charCodeAt(2);
  if (height !== 0 || ![...chunksOf(bytes, 'jpeg', true)].some(definesLines)) return undefined;
  return { name: 'JPEG that tells its height behind its first scan (DNL)', fix: RESAVE.baseline };
}

const definesLines = ({ type, length }: Chunk): boolean => type === 'dc' && length === 2;
