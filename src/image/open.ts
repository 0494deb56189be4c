import { createHash, type Hash } from 'node:crypto';
import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { ImgtoolError, readError } from '../errors.ts';
import type { FileFacts, SourceFacts } from '../model.ts';
import { starved } from './starved.ts';

/** Bytes up to which a source is held in memory; larger ones are decoded by path. */
export const IN_MEMORY = 256 * 1024 * 1024;

/** Times a source may change under our eyes before it is given up. */
const CHANGES = 3;

const CHUNK = 1024 * 1024;

/** A source as it was read: the digest is that of the bytes, the facts those of the very file they came from. */
export interface Source {
  readonly path: string;
  readonly facts: SourceFacts;
  /** Lower-case hex SHA-256. */
  readonly digest: string;
  /** Null when the source is too large: then it is decoded by path. */
  readonly bytes: Buffer | null;
  /** Its beginning, enough to recognise it. */
  readonly head: Buffer;
}

/**
 * Opens and reads a source once, never waiting on a pipe. Errors, without the path: `source_missing`,
 * `source_unreadable`, `source_changed`, `out_of_memory`, `io`.
 */
export async function openSource(path: string, inMemory = IN_MEMORY): Promise<Source> {
  try {
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    try {
      return await readUnchanged(handle, path, inMemory);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw starved(error) ?? readError(error);
  }
}

/** Whether the file at the source's path is still the one that was read. */
export async function assertUnchanged(source: Source): Promise<void> {
  const now = await stat(source.path, { bigint: true }).catch((error: unknown) => {
    throw readError(error);
  });
  if (!same(factsOf(now), source.facts)) throw changed('while it was decoded');
}

async function readUnchanged(handle: FileHandle, path: string, inMemory: number): Promise<Source> {
  for (let attempt = 0; attempt < CHANGES; attempt++) {
    const before = await handle.stat({ bigint: true });
    assertRegular(before);
    const facts = factsOf(before);
    const read =
      facts.size <= inMemory ? await readWhole(handle, facts.size) : await readThrough(handle, facts.size);
    const after = factsOf(await handle.stat({ bigint: true }));
    if (read.length === facts.size && same(facts, after)) {
      const source = { path, facts, digest: read.digest, bytes: read.bytes, head: read.head };
      if (source.bytes === null) await assertUnchanged(source);
      return source;
    }
  }
  throw changed(`${CHANGES} times while it was read`);
}

interface Read {
  readonly length: number;
  readonly digest: string;
  readonly bytes: Buffer | null;
  readonly head: Buffer;
}

async function readWhole(handle: FileHandle, size: number): Promise<Read> {
  const bytes = Buffer.allocUnsafeSlow(size);
  let length = 0;
  while (length < size) {
    const { bytesRead } = await handle.read(bytes, length, size - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  const digest = createHash('sha256').update(bytes).digest('hex');
  return { length, digest, bytes, head: bytes };
}

async function readThrough(handle: FileHandle, size: number): Promise<Read> {
  const hash = createHash('sha256');
  const head = Buffer.alloc(CHUNK);
  const { bytesRead } = await handle.read(head, 0, CHUNK, 0);
  const length = await digestThrough(handle, size, hash);
  return { length, digest: hash.digest('hex'), bytes: null, head: head.subarray(0, bytesRead) };
}

/** Bytes hashed: `size`, or fewer when the file has become shorter. */
async function digestThrough(handle: FileHandle, size: number, hash: Hash): Promise<number> {
  const chunk = Buffer.allocUnsafeSlow(CHUNK);
  let position = 0;
  while (position < size) {
    const { bytesRead } = await handle.read(chunk, 0, Math.min(CHUNK, size - position), position);
    if (bytesRead === 0) break;
    hash.update(chunk.subarray(0, bytesRead));
    position += bytesRead;
  }
  return position;
}

function assertRegular(stats: BigIntStats): void {
  if (stats.isFile()) return;
  const kind = stats.isDirectory()
    ? 'a folder'
    : stats.isFIFO()
      ? 'a pipe (FIFO)'
      : stats.isCharacterDevice() || stats.isBlockDevice()
        ? 'a device'
        : 'something else';
  throw new ImgtoolError('source_unreadable', `is ${kind}, not a file`, {
    fix: 'name a picture file, or leave it out',
  });
}

export const factsOf = (stats: BigIntStats): SourceFacts => ({
  size: Number(stats.size),
  mtime: stats.mtimeNs.toString(),
  ino: stats.ino.toString(),
  ctime: stats.ctimeNs.toString(),
});

export const same = (a: FileFacts, b: FileFacts): boolean =>
  a.size === b.size && a.mtime === b.mtime && a.ino === b.ino;

function changed(when: string): ImgtoolError {
  return new ImgtoolError('source_changed', `the file changed ${when}`, {
    fix: 'run again once whatever writes it is done',
  });
}
