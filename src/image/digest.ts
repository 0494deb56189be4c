import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import type { Digested, SourceFile } from '../model.ts';
import { assertInside, openingFlags } from './bounds.ts';
import { factsOf, same } from './open.ts';

/** The largest file in bytes to read synchronously: a longer read would delay `disconnect`, which ends the child. */
const SMALL = 32 * 2 ** 20;

const CHUNK = 2 ** 20;

/**
 * Returns the digests of the files in order. An entry is null when the file is larger than `most` bytes, is not a
 * regular file, cannot be read, is outside its bounds, or changes during the read. It reads synchronously, because
 * waiting for another thread takes longer than reading most files.
 */
export async function digestAll(sources: readonly SourceFile[], most = SMALL): Promise<(Digested | null)[]> {
  const chunk = Buffer.allocUnsafeSlow(CHUNK);
  const digested: (Digested | null)[] = [];
  for (const source of sources) {
    digested.push(digestOrNull(source, most, chunk));
    await turn();
  }
  return digested;
}

function digestOrNull(source: SourceFile, most: number, chunk: Buffer): Digested | null {
  try {
    return digest(source, most, chunk);
  } catch {
    // Opening the source later reports the error.
    return null;
  }
}

function digest(source: SourceFile, most: number, chunk: Buffer): Digested | null {
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
