import { createHash, type Hash } from 'node:crypto';
import { type BigIntStats, existsSync, readSync } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { ImgtoolError, readError } from '../errors.ts';
import type { FileFacts, SourceFacts, SourceFile } from '../model.ts';
import { assertInside, openingError, openingFlags, sourceChanged } from './bounds.ts';
import { starved } from './starved.ts';

/** The largest source, in bytes, to read into memory. The file of a larger source stays open. */
export const IN_MEMORY = 256 * 1024 * 1024;

/** How often a read may find that the source changed before `openSource` gives up. */
const MAX_CHANGES = 3;

const CHUNK = 1024 * 1024;

/** An opened source. `digest` and `facts` describe the same bytes. */
export interface Source {
  readonly facts: SourceFacts;
  /** Lower-case hex SHA-256. */
  readonly digest: string;
  /** All bytes when the source is in memory, else the first 1 MiB. */
  readonly head: Buffer;
  /** The input for sharp: the bytes in memory, or the path of the open file. */
  readonly input: Buffer | string;
  /** Returns `length` bytes from `position`, or fewer at the end of the file. */
  readAt(position: number, length: number): Buffer;
  /** Rejects with `source_changed` when the file differs from what was read. */
  assertUnchanged(): Promise<void>;
  /** Closes the file. Do not use `input` or `readAt` afterwards. Can be called twice. */
  close(): Promise<void>;
}

/**
 * Opens and reads a source without waiting on a pipe. The caller closes it. Errors, without the path: `source_missing`,
 * `source_unreadable`, `source_outside`, `source_changed`, `out_of_memory`, `io`.
 */
export async function openSource(given: string | SourceFile, inMemory = IN_MEMORY): Promise<Source> {
  const file = typeof given === 'string' ? { path: given, bounds: null } : given;
  try {
    const handle = await open(file.path, openingFlags(file)).catch((error: unknown) => {
      throw openingError(error, file);
    });
    let source: Source | null = null;
    try {
      assertInside(handle.fd, file);
      source = await readUnchanged(handle, file.path, inMemory);
      return source;
    } finally {
      if (typeof source?.input !== 'string') await handle.close();
    }
  } catch (error) {
    throw starved(error) ?? readError(error);
  }
}

async function readUnchanged(handle: FileHandle, path: string, inMemory: number): Promise<Source> {
  for (let attempt = 0; attempt < MAX_CHANGES; attempt++) {
    const before = await handle.stat({ bigint: true });
    assertRegular(before);
    const facts = factsOf(before);
    const read =
      facts.size <= inMemory ? await readWhole(handle, facts.size) : await readThrough(handle, facts.size);
    const after = factsOf(await handle.stat({ bigint: true }));
    if (read.length === facts.size && same(facts, after)) {
      const { digest, bytes, head } = read;
      const source = { facts, digest, head, ...(bytes === null ? onDisk(handle, path, facts) : held(bytes)) };
      await source.assertUnchanged();
      return source;
    }
  }
  throw sourceChanged(`${MAX_CHANGES} times while it was read`);
}

type Content = Pick<Source, 'input' | 'readAt' | 'assertUnchanged' | 'close'>;

const held = (bytes: Buffer): Content => ({
  input: bytes,
  readAt: (position, length) => bytes.subarray(position, position + length),
  assertUnchanged: async () => {},
  close: async () => {},
});

function onDisk(handle: FileHandle, path: string, facts: FileFacts): Content {
  const own = `/proc/self/fd/${handle.fd}`;
  // Only Linux offers a path that reopens an open file with its own read position.
  const isNamed = existsSync(own);
  return {
    input: isNamed ? own : path,
    readAt(position, length) {
      const bytes = Buffer.alloc(Math.max(0, Math.min(length, facts.size - position)));
      return bytes.subarray(0, readFully(handle.fd, bytes, position));
    },
    async assertUnchanged() {
      const now = isNamed ? handle.stat({ bigint: true }) : stat(path, { bigint: true });
      const stats = await now.catch((error: unknown) => {
        throw readError(error);
      });
      if (!same(factsOf(stats), facts)) throw sourceChanged('while it was decoded');
    },
    close: () => handle.close(),
  };
}

/** Returns the number of bytes read: fewer than `into` holds at the end of the file. */
function readFully(fd: number, into: Buffer, position: number): number {
  let length = 0;
  while (length < into.length) {
    const read = readSync(fd, into, length, into.length - length, position + length);
    if (read === 0) break;
    length += read;
  }
  return length;
}

interface FileContent {
  readonly length: number;
  readonly digest: string;
  readonly bytes: Buffer | null;
  readonly head: Buffer;
}

async function readWhole(handle: FileHandle, size: number): Promise<FileContent> {
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

async function readThrough(handle: FileHandle, size: number): Promise<FileContent> {
  const hash = createHash('sha256');
  const head = Buffer.alloc(CHUNK);
  const { bytesRead } = await handle.read(head, 0, CHUNK, 0);
  const length = await digestThrough(handle, size, hash);
  return { length, digest: hash.digest('hex'), bytes: null, head: head.subarray(0, bytesRead) };
}

/** Returns the number of bytes hashed: fewer than `size` when the file became shorter. */
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
