import type { Batch, BatchOptions, OutputRecord } from '../../model.ts';
import type { Index } from '../../ports.ts';
import { CHUNK } from '../batch/intake.ts';
import { isMade } from '../job/decide.ts';
import { isBelow } from '../job/facts.ts';
import { formerSettingsOfAll, settingsOfAll } from '../job/settings-digest.ts';

/**
 * The outputs of a batch as they are recorded now, each once. These are the outputs that its jobs list, without those
 * that other settings have replaced. The outputs of unchanged sources are listed nowhere: a batch with such sources counts
 * all outputs in its folder with its settings.
 */
export async function* outputsOf(index: Index, batch: Batch): AsyncIterable<OutputRecord> {
  const settings = new Set(waysOf(batch.options).flatMap((way) => way.settings));
  const all = batch.counts.unchanged > 0 ? index.outputs() : outputsOfJobs(index, batch.id);
  for await (const record of all) {
    if (settings.has(record.settings) && isBelow(record.path, batch.out)) yield record;
  }
}

/** One way in which a batch may have made outputs. */
export interface Way {
  readonly options: BatchOptions;
  /** The settings digest of each variant, in the order of the variants. */
  readonly settings: readonly (string | undefined)[];
}

/** A retry may have added or removed `--lenient`. Older versions had other settings digests. */
export function waysOf(before: BatchOptions): Way[] {
  const limits = { ...before.limits, lenient: !before.limits.lenient };
  return [before, { ...before, limits }].flatMap((options) => [
    { options, settings: settingsOfAll(options) },
    { options, settings: formerSettingsOfAll(options) },
  ]);
}

/** The current records under these paths. */
export async function* recordsAt(index: Index, paths: readonly string[]): AsyncIterable<OutputRecord> {
  for await (const chunk of chunked(paths)) {
    const lookup = await index.lookup([], chunk);
    yield* chunk.map(lookup.output).filter(isMade);
  }
}

async function* outputsOfJobs(index: Index, batch: string): AsyncIterable<OutputRecord> {
  const borrowed = new Set<string>();
  for await (const jobs of chunked(index.jobs(batch, ['completed', 'duplicate']))) {
    const listed = jobs.flatMap(({ source, outputs }) => outputs.map(({ path }) => ({ source, path })));
    const paths = listed.map(({ path }) => path);
    const lookup = await index.lookup([], paths);
    for (const { source, path } of listed) {
      const record = lookup.output(path);
      if (!isMade(record)) continue;
      // A skipped duplicate lists the outputs of another source. The own job of that source, if any, lists them too.
      if (record.source !== source) {
        if (borrowed.has(path) || (await index.known({ batch }, [record.source])).length > 0) continue;
        borrowed.add(path);
      }
      yield record;
    }
  }
}

/** Groups the items into chunks. The last one may be empty. */
export async function* chunked<Item>(items: Iterable<Item> | AsyncIterable<Item>): AsyncIterable<Item[]> {
  let chunk: Item[] = [];
  for await (const item of items) {
    if (chunk.push(item) < CHUNK) continue;
    yield chunk;
    chunk = [];
  }
  yield chunk;
}
