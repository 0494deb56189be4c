import type { BatchOptions } from '../model.ts';
import type { Found, Index, Lookup, NewJob, Sources } from '../ports.ts';
import { isBelow } from './facts.ts';
import { candidateNames, plainNames, taggedNaming } from './names.ts';

/** Where a batch asks who owns a name. */
interface Owners {
  readonly index: Index;
  readonly sources: Sources;
  readonly options: BatchOptions;
  /** Whether a source with a tagged name takes its plain name once the owner of that is gone. */
  readonly mirror: boolean;
}

/** A source's names, and the sources that keep it from its plain ones. */
export interface Asked extends Pick<NewJob, 'candidates' | 'kept' | 'gone'> {
  /** Owners of plain names that are still there. */
  readonly heldBy: readonly string[];
}

/**
 * The names these sources ask for. An owner that is gone passes its names on, in the order of the sources. A source
 * that has tagged names in this output folder keeps them; with `mirror` only as long as its plain names are held.
 */
export async function askNames(owners: Owners, found: readonly Found[]): Promise<Asked[]> {
  const { index, options } = owners;
  const plain = found.map((one) => plainNames(one, options));
  const lookup = await index.lookup(
    found.map(({ source }) => source),
    plain.flat(),
  );
  const asked: Asked[] = [];
  for (const [i, one] of found.entries()) {
    const others = ownersOf(plain[i]!, lookup, one.source);
    const candidates = candidateNames(one, options);
    // A source that was never recorded has no names, and one whose plain names are free needs no others.
    const tagged = lookup.source(one.source) === undefined ? undefined : await taggedOf(owners, one);
    if (others.length === 0 && tagged === undefined) asked.push({ candidates, heldBy: [] });
    else asked.push(await askAmong(owners, one, candidates, others, tagged));
  }
  return asked;
}

async function askAmong(
  { index, sources, mirror }: Owners,
  { source }: Found,
  candidates: readonly (readonly string[])[],
  others: readonly string[],
  tagged: number | undefined,
): Promise<Asked> {
  const goneOthers = await sources.gone(others);
  const heldBy = others.filter((owner) => !goneOthers.includes(owner));
  if (tagged !== undefined && !(mirror && heldBy.length === 0)) return { candidates, kept: tagged, heldBy };
  if (heldBy.length === 0) return { candidates, gone: goneOthers, heldBy };
  const lookup = await index.lookup([], candidates.flat());
  return { candidates, gone: await sources.gone(ownersOf(candidates.flat(), lookup, source)), heldBy };
}

/** The other sources that have one of these names. */
export function ownersOf(paths: readonly string[], lookup: Lookup, source: string): string[] {
  const owners = new Set(paths.flatMap((path) => lookup.output(path)?.source ?? []));
  owners.delete(source);
  return [...owners];
}

/** Which tagged candidate a source has outputs of in this output folder, whatever their variants. */
async function taggedOf({ index, options }: Owners, found: Found): Promise<number | undefined> {
  for (const { path, digest } of await index.ownedBy(found.source)) {
    // A name that is only held shows nothing yet.
    if (digest === null || !isBelow(path, options.out)) continue;
    const naming = taggedNaming(path, found, options);
    if (naming !== undefined) return naming;
  }
  return undefined;
}
