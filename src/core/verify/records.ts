import type { Batch, BatchOptions, JobRecord, OutputRecord } from '../../model.ts';
import type { Index } from '../../ports.ts';
import { CHUNK } from '../batch/intake.ts';
import { isMade } from '../job/decide.ts';
import { isBelow } from '../job/facts.ts';
import { formerSettingsOfAll } from '../job/former-settings.ts';
import { settingsOfAll } from '../job/settings-digest.ts';

/**
 * The outputs of a batch as they are recorded now, each once. These are the outputs that its jobs list, without those
 * that other settings have replaced. The outputs of unchanged sources are listed nowhere: a batch with such sources counts
 * all outputs in its folder with its settings.
 */
export async function* outputsOf(index: Index, batch: Batch): AsyncIterable<OutputRecord> {
  const settings = new Set<string | undefined>(waysOf(batch.options).flatMap(acceptedSettings).flat());
  const all = batch.counts.unchanged > 0 ? index.outputs() : outputsOfJobs(index, batch.id);
  for await (const record of all) {
    if (settings.has(record.settings) && isBelow(record.path, batch.out)) yield record;
  }
}

/** All options with which a batch may have made its outputs: a retry may have added or removed `--lenient`. */
export function waysOf(options: BatchOptions): BatchOptions[] {
  const { lenient } = options.limits;
  return [options, { ...options, limits: { ...options.limits, lenient: !lenient } }];
}

/** The settings digests that outputs with these options may have: two lists in the order of the variants. */
export function acceptedSettings(options: BatchOptions): (string | undefined)[][] {
  return [settingsOfAll(options), formerSettingsOfAll(options)];
}

/** The current records under these paths. */
export async function* recordsAt(index: Index, paths: readonly string[]): AsyncIterable<OutputRecord> {
  for (let at = 0; at < paths.length; at += CHUNK) {
    const chunk = paths.slice(at, at + CHUNK);
    const lookup = await index.lookup([], chunk);
    yield* chunk.map((path) => lookup.output(path)).filter(isMade);
  }
}

async function* outputsOfJobs(index: Index, batch: string): AsyncIterable<OutputRecord> {
  const borrowed = new Set<string>();
  for await (const jobs of chunked(index.jobs(batch, ['completed', 'duplicate']))) {
    const paths = jobs.flatMap(({ outputs }) => outputs.map(({ path }) => path));
    const lookup = await index.lookup([], paths);
    for (const job of jobs) {
      for (const { path } of job.outputs) {
        const record = lookup.output(path);
        if (!isMade(record)) continue;
        // A skipped duplicate lists the outputs of another source.
        const isOwn = record.source === job.source;
        if (!isOwn && (borrowed.has(path) || (await isListed(index, batch, record)))) continue;
        if (!isOwn) borrowed.add(path);
        yield record;
      }
    }
  }
}

/** Whether the owner of an output has its own job in the batch. That job lists the output. */
async function isListed(index: Index, batch: string, { source }: OutputRecord): Promise<boolean> {
  return (await index.known({ batch }, [source])).length > 0;
}

async function* chunked(jobs: AsyncIterable<JobRecord>): AsyncIterable<JobRecord[]> {
  let chunk: JobRecord[] = [];
  for await (const job of jobs) {
    if (chunk.push(job) < CHUNK) continue;
    yield chunk;
    chunk = [];
  }
  yield chunk;
}
