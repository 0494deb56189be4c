import type { Lookup, NewJob, Sources } from '../../ports.ts';
import type { JobContext } from '../job/context.ts';
import { isBelow } from '../job/facts.ts';
import { movedWithTag } from '../job/moved.ts';
import { type NamedSource, taggedNaming } from './names.ts';

/** A new job with the names that its source asks for. */
export interface Asked {
  readonly job: NewJob;
  /** The other sources that hold its plain names and are still there. */
  readonly heldBy: readonly string[];
}

/**
 * The jobs of these sources, with the names that they ask for. Names of gone owners go to the first source that asks. A
 * source keeps its tagged names in this output folder. With `takesPlainNames`, it keeps them only while others hold its plain names.
 */
export async function askNames(context: JobContext, named: readonly NamedSource[], lookup: Lookup) {
  const asked: Asked[] = [];
  if (named.length === 0) return asked;
  const isRecorded = ({ found }: NamedSource) => lookup.source(found.source) !== undefined;
  const unrecorded = named.filter((one) => !isRecorded(one));
  const moved = await movedWithTag(context, unrecorded);
  // Where another source has a plain name, the owners of all candidates count.
  const contested = named.filter((one) => ownersOf(one.plain, lookup, one).length > 0);
  const claimed = contested.flatMap(({ candidates }) => candidates.flat());
  const more = await context.index.lookup([], claimed);
  const rivals = new Map(contested.map((one) => [one, ownersOf(one.candidates.flat(), more, one)]));
  const gone = await goneAmong(context.sources, [...rivals.values()].flat());
  for (const one of named) {
    const { found, candidates } = one;
    const { source, given, relative, facts } = found;
    const heldBy = ownersOf(one.plain, lookup, one).filter((owner) => !gone.has(owner));
    // A source that was never recorded has no names.
    const own = isRecorded(one) ? await taggedOf(context, one) : undefined;
    const isMoved = moved.has(one);
    const kept = isMoved ? 1 : context.takesPlainNames && heldBy.length === 0 ? undefined : own;
    const free =
      kept === undefined ? { gone: rivals.get(one)?.filter((owner) => gone.has(owner)) } : { kept };
    const job = { source, given, relative, size: facts?.size, candidates, ...free };
    asked.push({ job, heldBy: isMoved ? [] : heldBy });
  }
  return asked;
}

/** Those of these sources that are gone. */
export async function goneAmong(sources: Pick<Sources, 'gone'>, paths: readonly string[]) {
  return new Set(paths.length === 0 ? [] : await sources.gone([...new Set(paths)]));
}

/** The other sources that have one of these names. */
export function ownersOf(paths: readonly string[], lookup: Lookup, { found }: NamedSource): string[] {
  const owners = new Set(paths.flatMap((path) => lookup.output(path)?.source ?? []));
  owners.delete(found.source);
  return [...owners];
}

/** The number of the tagged candidate of which a source has outputs in this output folder, for any variant. */
async function taggedOf({ index, options }: JobContext, { found }: NamedSource): Promise<number | undefined> {
  for (const { path, digest } of await index.ownedBy(found.source)) {
    // A reserved name without an output does not count.
    if (digest === null || !isBelow(path, options.out)) continue;
    const naming = taggedNaming(path, found, options);
    if (naming !== undefined) return naming;
  }
  return undefined;
}
