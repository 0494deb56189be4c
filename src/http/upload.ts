import type { MultipartFile } from '@fastify/multipart';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { asImgtoolError, ImgtoolError } from '../errors.ts';
import type { UploadedFile } from '../serve/accept.ts';
import { fieldText } from './fields.ts';
import { mostBytes, uploadTooLarge } from './gate.ts';
import type { Site } from './options.ts';
import { Refusal } from './problem.ts';
import { LONGEST_METADATA } from './schemas.ts';
import { stageFile } from './staged-file.ts';

// The body of an upload: its files go to staged objects while it arrives.

const LONGEST_NAME = 255;
const MOST_FIELDS = 10;
/** For each part. */
const HEADERS = { headerPairs: 20, headerSize: 4_096 };
/** More bytes than arrive at once. With fewer, the parser stops for ever at a part that it skips. */
const PART_BUFFER = 131_072;

/** What a request has brought. */
export interface ReceivedUpload {
  readonly fields: Readonly<Record<string, string>>;
  readonly files: readonly UploadedFile[];
}

/** Of what a request has too many, by the error of the multipart parser. */
const LIMITS: Readonly<Record<string, string>> = {
  FST_FILES_LIMIT: 'files',
  FST_PARTS_LIMIT: 'parts',
  FST_FIELDS_LIMIT: 'fields',
};

/**
 * Reads the body of a request with up to `most` files. In a request for several files, a file that is no acceptable picture
 * is a failed image; else it fails the request. Every staged file is in `staged`, also after an error: the caller discards
 * them. Errors: `upload_too_large`, `not_an_image`, `unsupported_format`, `invalid_request`, `bad_request`, `no_space`.
 */
export async function receiveUpload(
  request: FastifyRequest,
  reply: FastifyReply,
  site: Site,
  {
    most,
    isBatch,
    staged,
    gone,
  }: {
    readonly most: number;
    readonly isBatch: boolean;
    readonly staged: UploadedFile[];
    readonly gone: Promise<never>;
  },
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
      fileHwm: PART_BUFFER,
      limits: {
        ...{ ...HEADERS, fileSize: uploads.maxUpload, files: most, fields: MOST_FIELDS },
        ...{ parts: most + MOST_FIELDS, fieldSize: LONGEST_METADATA },
      },
    });
    const overflowed = countBytes(request, mostBytes(site, most), uploads.maxUpload, overflow);
    for (;;) {
      const { value: part, done } = await Promise.race([parts.next(), overflowed, gone]);
      if (done) return { fields, files };
      if (part.type === 'file') {
        const file = await stageFile(part, nameOf(part), objects, uploads, isBatch, overflow.signal, staged);
        files.push(file);
      } else {
        if (part.fieldname === 'file' || part.fieldname === 'files') throw unnamed();
        fields[part.fieldname] = fieldText(part.fieldname, part.value, part.valueTruncated);
      }
    }
  } catch (error) {
    throw bodyError(overflow.signal.aborted ? overflow.signal.reason : error, isBatch, most);
  }
}

/** Rejects when the client goes away: no parser may keep a request open that nobody waits for. */
export function endOf({ raw }: FastifyReply): Promise<never> {
  const gone = new Promise<never>((_, reject) => {
    const end = () => reject(new Refusal('bad_request', 'the connection has ended'));
    // It may have ended before, while the request was checked.
    if (raw.destroyed) end();
    else raw.once('close', end);
  });
  gone.catch(() => {});
  return gone;
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

/** A part without a file name counts as a field, as it does for browsers. */
function unnamed(): Refusal {
  const fix = 'send the part with a name of the file, such as filename="photo.jpg"';
  return new Refusal('invalid_request', 'the part with the file has no name of a file', { fix });
}

function bodyError(error: unknown, isBatch: boolean, most: number): ImgtoolError {
  if (error instanceof ImgtoolError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const many = LIMITS[code];
  if (many !== undefined) {
    const files = isBatch
      ? `send less in one request: up to ${most} files`
      : 'send several files to /upload instead';
    const fix = many === 'files' ? files : `send at most ${MOST_FIELDS} fields beside the files`;
    return new Refusal('upload_too_large', `the request has too many ${many}`, { fix });
  }
  if (/^FST_(PROTO|INVALID_JSON)/.test(code)) {
    return new Refusal('invalid_request', 'a field has a name or a value that is not allowed', {
      cause: error,
    });
  }
  const { message, cause } = asImgtoolError(error);
  return new Refusal('bad_request', `the body could not be read: ${message}`, { cause });
}
