import { createHash, randomUUID } from 'node:crypto';
import { close, open, writev } from 'node:fs';
import { addAbortSignal } from 'node:stream';
import { promisify } from 'node:util';
import type { MultipartFile } from '@fastify/multipart';
import { failureOf, ImgtoolError, writeError } from '../errors.ts';
import { detect } from '../image/detect.ts';
import type { Objects } from '../ports.ts';
import type { UploadedFile } from '../serve/accept.ts';
import { stagedKey } from '../serve/keys.ts';
import { uploadTooLarge } from './gate.ts';
import type { UploadRules } from './options.ts';

// One file of an upload: written to a staged object while it arrives, and recognised by its bytes.

// A FileHandle of node:fs/promises costs more than a small write.
const [opened, written, closed] = [promisify(open), promisify(writev), promisify(close)];

/** Bytes from which a format is recognised. */
const HEAD = 65_536;
/** Bytes that are collected for one write: each write costs a switch to another thread and back. */
const WRITTEN_AT_ONCE = 524_288;
/** Pieces of these bytes: each takes memory of its own, and a client may send single bytes. */
const MOST_PIECES = 1_000;

/** Writes a file to a staged object. Errors: those of the file alone, unless it is one of several. */
export async function stageFile(
  part: MultipartFile,
  name: string,
  objects: Objects,
  rules: UploadRules,
  isBatch: boolean,
  overflow: AbortSignal,
  all: UploadedFile[],
): Promise<UploadedFile> {
  const image = randomUUID();
  const object = await objects.stage(stagedKey(image));
  const file: UploadedFile = { image, job: randomUUID(), name, staged: object, facts: null, error: null };
  all.push(file);
  addAbortSignal(overflow, part.file);
  if (!isBatch) part.file.on('limit', () => part.file.destroy(uploadTooLarge(rules.maxUpload)));
  try {
    const facts = await writeFile(part, object.path, rules);
    return { ...file, facts };
  } catch (error) {
    await object.discard();
    if (!isBatch || !isOfFile(error)) throw error;
    return { ...file, staged: null, error: failureOf(error) };
  }
}

/** Whether the file is to blame, and not the request or the machine. */
function isOfFile(error: unknown): error is ImgtoolError {
  const codes = ['not_an_image', 'unsupported_format', 'upload_too_large'];
  return error instanceof ImgtoolError && codes.includes(error.code);
}

/** Writes the bytes while they arrive. What is refused is read to its end, so that the client reads the answer. */
async function writeFile({ file }: MultipartFile, path: string, rules: UploadRules) {
  const hash = createHash('sha256');
  const target = await opened(path, 'wx').catch(failToWrite);
  let bytes = 0;
  let head = Buffer.alloc(0);
  let refusal: unknown;
  const check = async () => {
    refusal = await acceptable(head, rules).catch((error: unknown) => error);
  };
  let isChecked = false;
  let held: Buffer[] = [];
  let heldBytes = 0;
  const write = async () => {
    const all = held;
    held = [];
    heldBytes = 0;
    await writeAll(target, all).catch(failToWrite);
  };
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
      held.push(chunk);
      heldBytes += chunk.length;
      if (heldBytes >= WRITTEN_AT_ONCE || held.length >= MOST_PIECES) await write();
    }
    if (!isChecked) await check();
    if (refusal !== undefined) throw refusal;
    if (file.truncated) throw uploadTooLarge(rules.maxUpload);
    await write();
  } catch (error) {
    // This error came first.
    await closed(target).catch(() => {});
    throw error;
  }
  // Some disks report only now that they are full.
  await closed(target).catch(failToWrite);
  return { digest: hash.digest('hex'), bytes };
}

/** Writes buffers at the end of a file, one after the other. The system may write fewer bytes than it was given. */
export async function writeAll(
  file: number,
  buffers: readonly Buffer[],
  write: (file: number, buffers: readonly Buffer[]) => Promise<{ bytesWritten: number }> = written,
): Promise<void> {
  let left = buffers;
  while (left.length > 0) {
    const bytes = left.reduce((sum, { length }) => sum + length, 0);
    const { bytesWritten } = await write(file, left);
    left = bytesWritten < bytes ? [Buffer.concat(left).subarray(bytesWritten)] : [];
  }
}

function failToWrite(error: unknown): never {
  throw writeError(error, 'the upload');
}

/** Checks the format by the first bytes of a file. Errors: `not_an_image`, `unsupported_format`. */
async function acceptable(head: Buffer, { accept, allowSvg }: UploadRules): Promise<undefined> {
  const format = await detect(head, true);
  const isSvg = format === 'svg';
  if (accept.includes(format) && (!isSvg || allowSvg)) return;
  const more = isSvg ? 'accept SVG too with {{accept}} and {{allowSvg}}' : 'accept more with {{accept}}';
  const fix = `send one of ${accept.join(', ')}, or ${more}`;
  throw new ImgtoolError('unsupported_format', `files of the format ${format} are not accepted`, { fix });
}
