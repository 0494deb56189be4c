import { createHash, randomUUID } from 'node:crypto';
import { open } from 'node:fs/promises';
import { addAbortSignal } from 'node:stream';
import type { MultipartFile } from '@fastify/multipart';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { asImgtoolError, failureOf, ImgtoolError, writeError } from '../errors.ts';
import { detect } from '../image/detect.ts';
import type { Objects } from '../ports.ts';
import type { UploadedFile } from '../serve/accept.ts';
import { stagedKey } from '../serve/keys.ts';
import { mostBytes, uploadTooLarge } from './gate.ts';
import type { Site, UploadRules } from './options.ts';
import { asRefusal, Refusal } from './problem.ts';
import { scanFile } from './scan.ts';
import { LONGEST_METADATA } from './schemas.ts';

// The body of an upload: its files go to staged objects while it arrives.

/** Bytes from which a format is recognised. */
const HEAD = 65_536;
const LONGEST_NAME = 255;
const MOST_FIELDS = 10;
/** For each part. */
const HEADERS = { headerPairs: 20, headerSize: 4_096 };

/** What a request has brought. */
export interface ReceivedUpload {
  readonly fields: Readonly<Record<string, string>>;
  readonly files: readonly UploadedFile[];
}

/** Errors of the multipart parser that say more than their status. */
const LIMITS: Readonly<Record<string, string>> = {
  FST_FILES_LIMIT: 'the request has too many files',
  FST_PARTS_LIMIT: 'the request has too many parts',
  FST_FIELDS_LIMIT: 'the request has too many fields',
};

/**
 * Reads the body of a request with up to `most` files. In a request for several files, a file that is no acceptable picture
 * is a failed image; else it fails the request. Every staged file is in `staged`, also after an error: the caller discards
 * them. Errors: `upload_too_large`, `not_an_image`, `unsupported_format`, `invalid_request`, `scan_refused`, `no_space`.
 */
export async function receiveUpload(
  request: FastifyRequest,
  reply: FastifyReply,
  site: Site,
  {
    most,
    isBatch,
    staged,
  }: { readonly most: number; readonly isBatch: boolean; readonly staged: UploadedFile[] },
): Promise<ReceivedUpload> {
  const { objects } = site.service;
  const { uploads } = site.options;
  const overflow = new AbortController();
  const fields: Record<string, string> = {};
  const files: UploadedFile[] = [];
  try {
    // The client waits for this before it sends the body.
    if (request.headers.expect !== undefined) reply.raw.writeContinue();
    const parts = request.parts({
      limits: {
        ...{ ...HEADERS, fileSize: uploads.maxUpload, files: most, fields: MOST_FIELDS },
        ...{ parts: most + MOST_FIELDS, fieldSize: LONGEST_METADATA },
      },
    });
    const overflowed = countBytes(request, mostBytes(site, most), uploads.maxUpload, overflow);
    for (;;) {
      const { value: part, done } = await Promise.race([parts.next(), overflowed]);
      if (done) return { fields, files };
      if (part.type === 'file') {
        const file = await stageFile(part, objects, uploads, isBatch, overflow.signal, staged);
        files.push(file);
      } else fields[part.fieldname] = fieldText(part.fieldname, part.value, part.valueTruncated);
    }
  } catch (error) {
    throw bodyError(overflow.signal.aborted ? overflow.signal.reason : error);
  }
}

/** Rejects when the body has more bytes. */
function countBytes({ raw }: FastifyRequest, most: number, maxUpload: number, overflow: AbortController) {
  let bytes = 0;
  const overflowed = new Promise<never>((_, reject) => {
    raw.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= most || overflow.signal.aborted) return;
      overflow.abort(uploadTooLarge(maxUpload));
      reject(overflow.signal.reason);
    });
  });
  // Nobody waits for it while a file is written.
  overflowed.catch(() => {});
  return overflowed;
}

function fieldText(name: string, value: unknown, isTruncated: boolean): string {
  if (isTruncated) {
    throw new Refusal('invalid_request', `${name}: is longer than ${LONGEST_METADATA} bytes`);
  }
  // The parser has read a field with the type of JSON.
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Writes a file to a staged object. Errors: those of the file alone, unless it is one of several. */
async function stageFile(
  part: MultipartFile,
  objects: Objects,
  rules: UploadRules,
  isBatch: boolean,
  overflow: AbortSignal,
  all: UploadedFile[],
): Promise<UploadedFile> {
  const name = nameOf(part);
  const image = randomUUID();
  const object = await objects.stage(stagedKey(image));
  const file: UploadedFile = { image, job: randomUUID(), name, staged: object, facts: null, error: null };
  all.push(file);
  addAbortSignal(overflow, part.file);
  if (!isBatch) part.file.on('limit', () => part.file.destroy(uploadTooLarge(rules.maxUpload)));
  try {
    const facts = await writeFile(part, object.path, rules);
    if (rules.scan !== null) await scanFile(rules.scan, object.path);
    return { ...file, facts };
  } catch (error) {
    await object.discard();
    if (!isBatch || !isOfFile(error)) throw error;
    return { ...file, staged: null, error: failureOf(error) };
  }
}

/** Whether the file is to blame, and not the request or the machine. */
function isOfFile(error: unknown): error is ImgtoolError {
  const codes = ['not_an_image', 'unsupported_format', 'upload_too_large', 'scan_refused'];
  return error instanceof ImgtoolError && codes.includes(error.code);
}

/** Writes the bytes while they arrive. What is refused is read to its end, so that the client reads the answer. */
async function writeFile({ file }: MultipartFile, path: string, rules: UploadRules) {
  const hash = createHash('sha256');
  const target = await open(path, 'wx');
  let bytes = 0;
  let head = Buffer.alloc(0);
  let refusal: unknown;
  const check = async () => {
    refusal = await acceptable(head, rules).catch((error: unknown) => error);
  };
  let isChecked = false;
  try {
    for await (const chunk of file as AsyncIterable<Buffer>) {
      if (refusal !== undefined) continue;
      bytes += chunk.length;
      hash.update(chunk);
      if (!isChecked) {
        head = Buffer.concat([head, chunk]);
        isChecked = head.length >= HEAD;
        if (isChecked) await check();
      }
      await target.writeFile(chunk).catch((error: unknown) => {
        throw writeError(error, 'the upload');
      });
    }
    if (!isChecked) await check();
  } finally {
    await target.close();
  }
  if (refusal !== undefined) throw refusal;
  if (file.truncated) throw uploadTooLarge(rules.maxUpload);
  return { digest: hash.digest('hex'), bytes };
}

/** Checks the format by the first bytes of a file. Errors: `not_an_image`, `unsupported_format`. */
async function acceptable(head: Buffer, { accept, allowSvg }: UploadRules): Promise<undefined> {
  const format = await detect(head, allowSvg);
  if (accept.includes(format)) return;
  const fix = `send one of ${accept.join(', ')}, or accept more with {{accept}}`;
  throw new ImgtoolError('unsupported_format', `files of the format ${format} are not accepted`, { fix });
}

/** The name that the client gave. Errors: `invalid_request`. */
function nameOf({ fieldname, filename = '' }: MultipartFile): string {
  if (fieldname !== 'file' && fieldname !== 'files') {
    const fix = 'name each part with a file "file"';
    throw new Refusal('invalid_request', 'a part with a file has another name than file or files', { fix });
  }
  if (Buffer.byteLength(filename) > LONGEST_NAME || /[\0-\x1f\x7f]/.test(filename)) {
    const message = `the name of a file has control characters, or more than ${LONGEST_NAME} bytes`;
    throw new Refusal('invalid_request', message, { fix: 'give the file another name' });
  }
  return filename || 'unnamed';
}

function bodyError(error: unknown): Refusal {
  if (error instanceof ImgtoolError) return asRefusal(error);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (LIMITS[code] !== undefined) return new Refusal('upload_too_large', LIMITS[code]);
  if (/^FST_(PROTO|INVALID_JSON)/.test(code)) {
    return new Refusal('invalid_request', 'a field has a name or a value that is not allowed', {
      cause: error,
    });
  }
  const { message, cause } = asImgtoolError(error);
  return new Refusal('bad_request', `the body could not be read: ${message}`, { cause });
}
