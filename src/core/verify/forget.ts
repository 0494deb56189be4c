import { ImgtoolError } from '../../errors.ts';
import type { Forgotten } from '../../model/verified.ts';
import type { OutputRecord, Reservation } from '../../model.ts';
import type { GonePorts } from './gone.ts';
import { chunked } from './records.ts';

/** A path as the user gave it, and the absolute path. */
interface Named {
  readonly given: string;
  readonly path: string;
}

type Own = Pick<OutputRecord | Reservation, 'path' | 'source' | 'checksum'>;

/**
 * Removes the records of outputs and sources at these paths and below them, but only records of files that no longer
 * exist. The path of a missing output selects that output. The path of a missing source also selects its missing
 * outputs. With `dryRun` it only lists them. Errors: `no_input` when nothing is recorded for a path; then no record is
 * removed.
 */
export async function forgetGonePaths(
  ports: GonePorts,
  paths: readonly Named[],
  dryRun: boolean,
): Promise<Forgotten> {
  const { index, sources } = ports;
  /** The names to forget, by source. */
  const names = new Map<string, Set<string>>();
  const kept = new Set<string>();
  const gone = new Set<string>();
  for (const named of paths) {
    let isRecorded = false;
    for await (const chunk of chunked(outputsAt(ports, named.path))) {
      isRecorded ||= chunk.length > 0;
      await sortOutputs(ports, chunk, names, kept);
    }
    for await (const chunk of chunked(sourcesAt(ports, named.path))) {
      isRecorded ||= chunk.length > 0;
      const missing = new Set(await sources.missing(chunk));
      for (const source of chunk) (missing.has(source) ? gone : kept).add(source);
    }
    for await (const chunk of chunked(outputsOfSourcesAt(ports, named.path))) {
      isRecorded ||= chunk.length > 0;
      const missing = new Set(await sources.missing([...new Set(chunk.map(({ source }) => source))]));
      for (const { source } of chunk) (missing.has(source) ? gone : kept).add(source);
      const ofGone = chunk.filter(({ source }) => missing.has(source));
      await sortOutputs(ports, ofGone, names, kept);
    }
    if (!isRecorded) throw notRecorded(named.given);
  }
  const forgotten: string[] = [];
  for (const source of new Set([...gone, ...names.keys()])) {
    const own = names.get(source) ?? new Set();
    const left = (await index.ownedBy(source)).filter(({ path }) => !own.has(path));
    const isGone = left.length === 0 && (await sources.missing([source])).length > 0;
    if (isGone) forgotten.push(source);
    if (!dryRun && (isGone || own.size > 0)) await index.forget(source, [...own], [], isGone);
  }
  const outputs = [...names.values()].flatMap((own) => [...own]);
  return { dryRun, outputs: inOrder(outputs), sources: inOrder(forgotten), kept: inOrder(kept) };
}

/** Outputs under this name and below it. */
async function* outputsAt({ index }: GonePorts, path: string): AsyncGenerator<Own> {
  const own = (await index.lookup([], [path])).output(path);
  if (own !== undefined && own.digest !== null) yield own;
  yield* index.outputsBelow(path);
}

async function* outputsOfSourcesAt({ index }: GonePorts, path: string): AsyncGenerator<Own> {
  yield* (await index.ownedBy(path)).filter(({ digest }) => digest !== null);
  yield* index.outputsOfSources(path);
}

async function* sourcesAt({ index }: GonePorts, path: string): AsyncGenerator<string> {
  if ((await index.lookup([path], [])).source(path) !== undefined) yield path;
  yield* index.sourcesBelow(path);
}

/** Notes outputs that are missing in `names`, and those that exist in `kept`. A skipped duplicate has no files. */
async function sortOutputs(
  { storage }: GonePorts,
  outputs: readonly Own[],
  names: Map<string, Set<string>>,
  kept: Set<string>,
): Promise<void> {
  const found = await storage.stat(outputs.map(({ path }) => path));
  for (const [i, { path, source, checksum }] of outputs.entries()) {
    if (found[i] === null) names.set(source, (names.get(source) ?? new Set()).add(path));
    else if (checksum !== null) kept.add(path);
  }
}

function notRecorded(given: string): ImgtoolError {
  const message = `${given}: the index has no record of it, nor of anything below it`;
  return new ImgtoolError('no_input', message, {
    fix: 'imgtool verify lists the outputs that are missing; nothing was done',
  });
}

function inOrder(paths: Iterable<string>): string[] {
  return [...paths].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}
