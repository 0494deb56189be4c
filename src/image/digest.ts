import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import type { Digested, SourceFile } from '../model.ts';
import { assertInside, openingFlags } from './bounds.ts';
import { factsOf, same } from './open.ts';

/** Bytes of a file that is read in one go; with a larger one this process would not hear that its parent is gone. */
const SMALL = 32 * 2 ** 20;

const CHUNK = 2 ** 20;

/**
 * Digests of files of at most so many bytes, in their order; null for one that is larger or no file, that cannot be
 * read, that lies outside its bounds, or that changes meanwhile. Each is read at once: to wait for another thread would
 * take longer than most do.
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
    // Whoever opens it says why.
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
