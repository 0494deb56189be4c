import { ImgtoolError, noInput } from '../../errors.ts';
import type { NameRecord, OutputRecord } from '../../model.ts';
import type { Index } from '../../ports.ts';
import { isMade } from '../job/decide.ts';
import { isBelow } from '../job/facts.ts';

/** A path as the user gave it, the absolute path, and the nearest path that exists. */
export interface Named {
  readonly given: string;
  readonly path: string;
  readonly near: string | undefined;
}

/** A variable of a shell that is not set must not stand for the whole working folder. Errors: `no_input`. */
export function refuseEmpty(named: readonly Pick<Named, 'given'>[]): void {
  if (named.every(({ given }) => given !== '')) return;
  throw noInput('an empty path was named', 'name a file or folder; . is this folder');
}

/** Outputs under this name and below it. */
export async function* outputsAt(index: Index, path: string): AsyncGenerator<NameRecord> {
  const own = (await index.lookup([], [path])).output(path);
  if (own !== undefined && own.digest !== null) yield own;
  yield* index.outputsBelow(path);
}

/** Outputs of the source under this name and of the sources below it. */
export async function* outputsOfSourcesAt(index: Index, path: string): AsyncGenerator<NameRecord> {
  yield* (await index.ownedBy(path)).filter(({ digest }) => digest !== null);
  yield* index.outputsOfSources(path);
}

/**
 * The outputs at these paths and below them, and those of the sources there, each once. All outputs for no paths. Errors:
 * `no_input` when the index has no outputs for a path; then nothing is yielded.
 */
export async function* outputsNamed(index: Index, named: readonly Named[]): AsyncGenerator<OutputRecord> {
  if (named.length === 0) return yield* index.outputs();
  refuseEmpty(named);
  for (const one of named) {
    const { path } = one;
    const [output, ofSource] = [outputsAt(index, path), outputsOfSourcesAt(index, path)];
    const found = [await output.next(), await ofSource.next()];
    await Promise.all([output.return(undefined), ofSource.return(undefined)]);
    if (found.every(({ done }) => done)) throw notRecorded(one);
  }
  for (const [i, { path }] of named.entries()) {
    const before = named.slice(0, i);
    const isNew = (record: NameRecord): record is OutputRecord =>
      isMade(record) && !before.some((one) => isOf(one.path, record));
    for await (const record of outputsAt(index, path)) if (isNew(record)) yield record;
    for await (const record of outputsOfSourcesAt(index, path)) {
      if (isNew(record) && !isAt(path, record.path)) yield record;
    }
  }
}

const isAt = (path: string, one: string) => one === path || isBelow(one, path);

/** Whether an output or its source is at this path or below it. */
const isOf = (path: string, record: NameRecord) => isAt(path, record.path) || isAt(path, record.source);

function notRecorded({ given, near }: Named): ImgtoolError {
  return new ImgtoolError('no_input', `${given}: no outputs are recorded for this path`, {
    fix:
      near === undefined || near === given
        ? '{{command list --outputs}} lists what is recorded, and {{command list}} the batches'
        : `did you mean ${near}?`,
  });
}
