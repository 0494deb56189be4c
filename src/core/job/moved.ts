import { basename, sep } from 'node:path';
import type { OutputRecord } from '../../model.ts';
import type { Lookup } from '../../ports.ts';
import { isOutputName, type NamedSource } from '../batch/names.ts';
import type { JobContext } from './context.ts';

// Users move or copy outputs together with their sources. The index finds such outputs by their bytes, not by their paths.

/** The record of an output with these bytes that was made under the same file name in some folder. */
export async function madeAs({ index }: JobContext, path: string, checksum: string) {
  return index.withChecksum(checksum, basename(path));
}

/** Whether the template yields this name, and the file's bytes are recorded for an output of this name. */
export async function isMovedOutput(ports: JobContext, path: string, lookup: Lookup): Promise<boolean> {
  if (lookup.source(path) !== undefined || !isOutputName(path, ports.options)) return false;
  return (await recordOf(ports, path)) !== undefined;
}

/** The unrecorded sources that moved together with their outputs, whose names have a tag. A move of a root keeps the tag. */
export async function movedWithTag(ports: JobContext, unrecorded: readonly NamedSource[]) {
  const tagged = unrecorded.map(({ candidates }) => candidates[1]![0]!);
  const disk = await ports.storage.stat(tagged).catch(() => []);
  const moved = new Set<NamedSource>();
  for (const [i, one] of unrecorded.entries()) {
    if (disk[i] == null || disk[i] === 'foreign') continue;
    const plain = await recordOf(ports, one.plain[0]!);
    // Of two sources with the same name, the one with the same relative path has the plain name.
    const isPlain = plain?.source.split(sep).join('/').endsWith(`/${one.found.relative}`) === true;
    if (!isPlain && (await recordOf(ports, tagged[i]!)) !== undefined) moved.add(one);
  }
  return moved;
}

async function recordOf(ports: JobContext, path: string): Promise<OutputRecord | undefined> {
  // The job of an unreadable file reports the error.
  const checksum = await ports.storage.checksum(path).catch(() => null);
  return checksum === null ? undefined : madeAs(ports, path, checksum);
}
