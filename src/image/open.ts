import { createHash } from 'node:crypto';
import { type BigIntStats, closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { setImmediate as turn } from 'node:timers/promises';
import { ImgtoolError, orUndefined, readError } from '../errors.ts';
import type { Digested, FileFacts, SourceFacts, SourceFile } from '../model.ts';
import { assertInside, openingError, openingFlags, sourceChanged } from './bounds.ts';
import { starved } from './unreadable.ts';

/** The largest source, in bytes, to read into memory. The file of a larger source stays open. */
export const IN_MEMORY = 256 * 1024 * 1024;

/** How often a read may find that the source changed before `openSource` gives up. */
const MAX_CHANGES = 3;

/** The largest file in bytes to read synchronously: a longer read would delay `disconnect`, which ends the child. */
const SMALL = 32 * 2 ** 20;

const READ_SIZE = 1024 * 1024;

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
    const isHeld = facts.size <= inMemory;
    const { digest, bytes, length } = await readAll(handle, facts.size, isHeld);
    const after = factsOf(await handle.stat({ bigint: true }));
    if (length === facts.size && same(facts, after)) {
      const source = { facts, digest, ...(isHeld ? held(bytes) : onDisk(handle, path, facts)) };
      await source.assertUnchanged();
      return source;
    }
  }
  throw sourceChanged(`${MAX_CHANGES} times while it was read`);
}

/** Reads and digests up to `size` bytes. `bytes` are all of them, or only the last ones of a file on the disk. */
async function readAll(handle: FileHandle, size: number, isHeld: boolean) {
  const hash = createHash('sha256');
  const bytes = Buffer.allocUnsafeSlow(isHeld ? size : READ_SIZE);
  let length = 0;
  while (length < size) {
    const into = isHeld ? bytes.subarray(length) : bytes.subarray(0, size - length);
    const { bytesRead } = await handle.read(into, 0, into.length, length);
    if (bytesRead === 0) break;
    hash.update(into.subarray(0, bytesRead));
    length += bytesRead;
  }
  return { digest: hash.digest('hex'), bytes, length };
}

type Content = Omit<Source, 'facts' | 'digest'>;

const held = (bytes: Buffer): Content => ({
  head: bytes,
  input: bytes,
  readAt: (position, length) => bytes.subarray(position, position + length),
  assertUnchanged: async () => {},
  close: async () => {},
});

function onDisk(handle: FileHandle, path: string, facts: FileFacts): Content {
  const own = `/proc/self/fd/${handle.fd}`;
  // Only Linux offers a path that reopens an open file with its own read position.
  const isNamed = existsSync(own);
  const readAt = (position: number, length: number): Buffer => {
    const bytes = Buffer.alloc(Math.max(0, Math.min(length, facts.size - position)));
    let filled = 0;
    while (filled < bytes.length) {
      const read = readSync(handle.fd, bytes, filled, bytes.length - filled, position + filled);
      if (read === 0) break;
      filled += read;
    }
    return bytes.subarray(0, filled);
  };
  return {
    head: readAt(0, READ_SIZE),
    input: isNamed ? own : path,
    readAt,
    async assertUnchanged() {
      const now = isNamed ? handle.stat({ bigint: true }) : stat(path, { bigint: true });
      const stats = await now.catch((error: unknown) => Promise.reject(readError(error)));
      if (!same(factsOf(stats), facts)) throw sourceChanged('while it was decoded');
    },
    close: () => handle.close(),
  };
}

function assertRegular(stats: BigIntStats): void {
  if (stats.isFile()) return;
  const fix = 'name a picture file, or leave it out';
  throw new ImgtoolError('source_unreadable', `is ${kindOf(stats)}, not a file`, { fix });
}

function kindOf(stats: BigIntStats): string {
  if (stats.isDirectory()) return 'a folder';
  if (stats.isFIFO()) return 'a pipe (FIFO)';
  return stats.isCharacterDevice() || stats.isBlockDevice() ? 'a device' : 'something else';
}

const factsOf = (stats: BigIntStats): SourceFacts => ({
  size: Number(stats.size),
  mtime: stats.mtimeNs.toString(),
  ino: stats.ino.toString(),
  ctime: stats.ctimeNs.toString(),
});

const same = (a: FileFacts, b: FileFacts): boolean =>
  a.size === b.size && a.mtime === b.mtime && a.ino === b.ino;

/**
 * Returns the digests of the files in order. An entry is null when the file is larger than `most` bytes, is not a
 * regular file, cannot be read, is outside its bounds, or changes during the read. It reads synchronously, because
 * waiting for another thread takes longer than reading most files.
 */
export async function digestAll(sources: readonly SourceFile[], most = SMALL): Promise<(Digested | null)[]> {
  const chunk = Buffer.allocUnsafeSlow(READ_SIZE);
  const digested: (Digested | null)[] = [];
  for (const source of sources) {
    // Opening the source later reports an error.
    digested.push(orUndefined(() => digestSmall(source, most, chunk)) ?? null);
    await turn();
  }
  return digested;
}

function digestSmall(source: SourceFile, most: number, chunk: Buffer): Digested | null {
  const file = openSync(source.path, openingFlags(source));
  try {
    assertInside(file, source);
    const before = fstatSync(file, { bigint: true });
    if (!before.isFile() || before.size > most) return null;
    const facts = factsOf(before);
    const hash = createHash('sha256');
    let length = 0;
    for (let read = -1; read !== 0 && length <= facts.size; length += read) {
      read = readSync(file, chunk);
      hash.update(chunk.subarray(0, read));
    }
    const isWhole = length === facts.size && same(facts, factsOf(fstatSync(file, { bigint: true })));
    return isWhole ? { facts, digest: hash.digest('hex') } : null;
  } finally {
    closeSync(file);
  }
}
