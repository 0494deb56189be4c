import { basename, sep } from 'node:path';
import type { FileFacts, OutputRecord } from '../../model.ts';
import type { FoundSource, Lookup } from '../../ports.ts';
import { isOutputName } from '../batch/names.ts';
import type { FactPorts } from './context.ts';

/** Outputs that were moved or copied with their sources: the index knows them by their bytes, not by their paths. */

/** The record of an output with these bytes that was made under the same file name in some folder. */
export async function madeAs({ index }: Pick<FactPorts, 'index'>, path: string, checksum: string) {
  return index.withChecksum(checksum, basename(path));
}

/**
 * Whether a file among the sources is an output that was moved: its name is one that the template yields, and its
 * bytes were recorded as those of an output of this name. Only a file with such a name is read.
 */
export async function isMovedOutput(places: FactPorts, path: string, lookup: Lookup): Promise<boolean> {
  if (lookup.source(path) !== undefined || !isOutputName(path, places.options)) return false;
  return (await recordOf(places, path)) !== undefined;
}

/**
 * Which of these sources, none of them recorded, moved with outputs under tagged names: those names are theirs. The tag
 * stays the same since it is that of the path below the root.
 */
export async function movedWithTag(
  known: Pick<FactPorts, 'index' | 'storage'>,
  found: readonly FoundSource[],
  candidates: readonly (readonly (readonly string[])[])[],
): Promise<ReadonlySet<FoundSource>> {
  const first = candidates.map(([, tagged]) => tagged![0]!);
  const disk = await known.storage.stat(first).catch(() => [] as (FileFacts | 'foreign' | null)[]);
  const moved = new Set<FoundSource>();
  for (const [i, one] of found.entries()) {
    if (disk[i] == null || disk[i] === 'foreign') continue;
    const plain = await recordOf(known, candidates[i]![0]![0]!);
    // Of two sources with one name in two folders, one has the plain name: the one that lay at the same place.
    const isPlain = plain?.source.split(sep).join('/').endsWith(`/${one.relative}`) === true;
    if (!isPlain && (await recordOf(known, first[i]!)) !== undefined) moved.add(one);
  }
  return moved;
}

async function recordOf(
  known: Pick<FactPorts, 'index' | 'storage'>,
  path: string,
): Promise<OutputRecord | undefined> {
  // A file that cannot be read is left to its job, which says why.
  const checksum = await known.storage.checksum(path).catch(() => null);
  return checksum === null ? undefined : madeAs(known, path, checksum);
}
