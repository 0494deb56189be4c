import { ImgtoolError } from '../../errors.ts';
import type { Forgotten } from '../../model/verified.ts';
import type { NameRecord } from '../../model.ts';
import { forgettable, type GonePorts } from './gone.ts';
import { type Named, outputsAt, outputsOfSourcesAt, refuseEmpty } from './named.ts';
import { chunked } from './records.ts';

type NameToForget = Pick<NameRecord, 'path' | 'source' | 'checksum'>;

/** What was found out about recorded paths. */
interface SortedPaths {
  /** The names to forget, by source. */
  readonly names: Map<string, Set<string>>;
  readonly gone: Set<string>;
  readonly kept: Set<string>;
  /** Missing, but perhaps on a disk that is not mounted; or nobody can tell. */
  readonly unclear: Set<string>;
}

/**
 * Removes the records of outputs and sources at these paths and below them, but only records of files that are gone by
 * the rule of `forgettable`. The path of a missing output selects that output. The path of a gone source also selects
 * its missing outputs. With `dryRun` it only lists them. Errors: `no_input` when nothing is recorded for a path; then no
 * record is removed.
 */
export async function forgetGonePaths(
  ports: GonePorts,
  paths: readonly Named[],
  dryRun: boolean,
): Promise<Forgotten> {
  refuseEmpty(paths);
  const { index, sources } = ports;
  const sorted: SortedPaths = { names: new Map(), gone: new Set(), kept: new Set(), unclear: new Set() };
  const { names, gone } = sorted;
  for (const { given, path } of paths) {
    let isRecorded = false;
    for await (const chunk of chunked(outputsAt(ports.index, path))) {
      isRecorded ||= chunk.length > 0;
      const owners = chunk.map(({ source }) => source);
      const asked = [...chunk.map((one) => one.path), ...owners];
      await sortOutputs(ports, chunk, sorted, await forgettable(ports, asked, path));
    }
    for await (const chunk of chunked(sourcesAt(ports, path))) {
      isRecorded ||= chunk.length > 0;
      await sortSources(ports, chunk, sorted, path);
    }
    for await (const chunk of chunked(outputsOfSourcesAt(ports.index, path))) {
      isRecorded ||= chunk.length > 0;
      await sortSources(ports, [...new Set(chunk.map(({ source }) => source))], sorted, path);
      const ofGone = chunk.filter(({ source }) => gone.has(source));
      await sortOutputs(ports, ofGone, sorted, null);
    }
    if (!isRecorded) throw notRecorded(given);
  }
  const forgotten: string[] = [];
  for (const source of new Set([...gone, ...names.keys()])) {
    const own = names.get(source) ?? new Set();
    const left = (await index.ownedBy(source)).filter(({ path }) => !own.has(path));
    const isStillGone = async () =>
      (await forgettable(ports, [source])).has(source) ||
      (gone.has(source) && (await sources.missing([source])).length > 0);
    const isGone = left.length === 0 && (await isStillGone());
    if (isGone) forgotten.push(source);
    if (!dryRun && (isGone || own.size > 0)) await index.forget(source, [...own], [], isGone);
  }
  const outputs = [...names.values()].flatMap((own) => [...own]);
  // Another named path may have made clear what was unclear.
  const clear = new Set([...outputs, ...gone]);
  const unclear = [...sorted.unclear].filter((path) => !clear.has(path));
  return {
    dryRun,
    outputs: inOrder(outputs),
    sources: inOrder(forgotten),
    kept: inOrder(sorted.kept),
    unclear: inOrder(unclear),
  };
}

async function* sourcesAt({ index }: GonePorts, path: string): AsyncGenerator<string> {
  if ((await index.lookup([path], [])).source(path) !== undefined) yield path;
  yield* index.sourcesBelow(path);
}

/**
 * Sorts outputs. Of the missing ones it notes those that are `forgettable`, or all for null. A skipped duplicate has no
 * file: its record goes only with its source.
 */
async function sortOutputs(
  { storage }: GonePorts,
  outputs: readonly NameToForget[],
  { names, kept, unclear }: SortedPaths,
  forgettable: ReadonlySet<string> | null,
): Promise<void> {
  for (const { path, source, checksum } of outputs) {
    const [found] = await storage.stat([path]).catch(() => [undefined]);
    if (found === null && (forgettable?.has(checksum === null ? source : path) ?? true)) {
      names.set(source, (names.get(source) ?? new Set()).add(path));
    } else if (checksum !== null) (found == null ? unclear : kept).add(path);
  }
}

async function sortSources(
  ports: GonePorts,
  sources: readonly string[],
  { gone, kept, unclear }: SortedPaths,
  named: string,
): Promise<void> {
  const forgotten = await forgettable(ports, sources, named);
  const missing = new Set(await ports.sources.missing(sources));
  for (const source of sources) {
    (forgotten.has(source) ? gone : missing.has(source) ? unclear : kept).add(source);
  }
}

function notRecorded(given: string): ImgtoolError {
  const message = `${given}: the index has no record of it, nor of anything below it`;
  return new ImgtoolError('no_input', message, {
    fix: '{{command verify}} lists the outputs that are missing; nothing was done',
  });
}

function inOrder(paths: Iterable<string>): string[] {
  return [...paths].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}
