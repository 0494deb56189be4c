import type { BatchOptions } from '../../model.ts';
import type { FoundSource, Index, Lookup, NewJob, Sources, Storage } from '../../ports.ts';
import { isBelow } from '../job/facts.ts';
import { movedWithTag } from '../job/moved.ts';
import { candidateNames, plainNames, taggedNaming } from './names.ts';

/** The ports and options that show who owns a name. */
interface Owners {
  readonly index: Index;
  readonly storage: Storage;
  readonly sources: Sources;
  readonly options: BatchOptions;
  /** Whether a source with a tagged name takes its plain name once the owner of the plain name is gone. */
  readonly mirror: boolean;
}

/** A source's candidate names, and the sources that hold its plain names. */
export interface Asked extends Pick<NewJob, 'candidates' | 'kept' | 'gone'> {
  /** Owners of plain names that are still there. */
  readonly heldBy: readonly string[];
}

/**
 * The names that these sources ask for. Names of gone owners go to the first source that asks. A source keeps its tagged
 * names in this output folder; with `mirror` it keeps them only while others hold its plain names.
 */
export async function askNames(owners: Owners, found: readonly FoundSource[]): Promise<Asked[]> {
  if (found.length === 0) return [];
  const { index, options } = owners;
  const plain = found.map((one) => plainNames(one, options));
  const lookup = await index.lookup(
    found.map(({ source }) => source),
    plain.flat(),
  );
  const all = new Map(found.map((one) => [one, candidateNames(one, options)]));
  const fresh = found.filter(({ source }) => lookup.source(source) === undefined);
  const moved = await movedWithTag(
    owners,
    fresh,
    fresh.map((one) => all.get(one)!),
  );
  const others = found.map(({ source }, i) => ownersOf(plain[i]!, lookup, source));
  // Where another source has a plain name, the owners of all candidates count.
  const contested = found.filter((_, i) => others[i]!.length > 0).flatMap((one) => all.get(one)!.flat());
  const more = await index.lookup([], contested);
  const rivals = found.map((one, i) =>
    others[i]!.length === 0 ? [] : ownersOf(all.get(one)!.flat(), more, one.source),
  );
  const asking = [...new Set(rivals.flat())];
  const gone = new Set(asking.length === 0 ? [] : await owners.sources.gone(asking));
  const asked: Asked[] = [];
  for (const [i, one] of found.entries()) {
    const candidates = all.get(one)!;
    const heldBy = others[i]!.filter((owner) => !gone.has(owner));
    // A source that was never recorded has no names.
    const own = lookup.source(one.source) === undefined ? undefined : await taggedOf(owners, one);
    const kept = moved.has(one) ? 1 : own;
    const isKept = kept !== undefined && !(owners.mirror && heldBy.length === 0 && !moved.has(one));
    if (isKept) asked.push({ candidates, kept, heldBy: moved.has(one) ? [] : heldBy });
    else asked.push({ candidates, gone: rivals[i]!.filter((owner) => gone.has(owner)), heldBy });
  }
  return asked;
}

/** The other sources that have one of these names. */
export function ownersOf(paths: readonly string[], lookup: Lookup, source: string): string[] {
  const owners = new Set(paths.flatMap((path) => lookup.output(path)?.source ?? []));
  owners.delete(source);
  return [...owners];
}

/** The number of the tagged candidate of which a source has outputs in this output folder, for any variant. */
async function taggedOf({ index, options }: Owners, found: FoundSource): Promise<number | undefined> {
  for (const { path, digest } of await index.ownedBy(found.source)) {
    // A reserved name without an output does not count.
    if (digest === null || !isBelow(path, options.out)) continue;
    const naming = taggedNaming(path, found, options);
    if (naming !== undefined) return naming;
  }
  return undefined;
}
