import { setImmediate as breathe } from 'node:timers/promises';
import { severalBatches, unknownBatch } from '../../errors.ts';
import { type Batch, type BatchOptions, type Counts, JOB_STATES, type JobRecord } from '../../model.ts';
import type { History, Maker } from '../../ports.ts';
import { type Connection, pagesFrom } from '../sqlite/connection.ts';

/** Rows read or removed in one step, so that no step holds the index for long. */
const PAGE = 500;

/** Batches with their counts, as `batchOf` takes them. */
export const BATCHES = `
  SELECT id, command, state, inputs, options ->> 'out' AS out, cwd, options ->> '$.preset.name' AS preset,
    options ->> 'jobs' AS jobs, options, started_at AS startedAt, finished_at AS finishedAt,
    json_object(${JOB_STATES.map((state) => `'${state}', ${state}`).join(', ')}) AS counts,
    passed_over AS passedOver, iif(json_valid(aside), aside, NULL) AS aside, bytes_in AS bytesIn, bytes_out AS bytesOut,
    (SELECT count(*) FROM jobs WHERE batch = batches.id AND degraded = 1)
      + (SELECT count(*) FROM damaged WHERE batch = batches.id) AS degraded, walk_ended AS walkEnded,
    cancel_asked AS cancelAsked
  FROM batches JOIN counts ON counts.batch = batches.id`;

const JOBS = `
  SELECT id, source, state, iif(state = 'processing' AND json_valid(part), part, NULL) AS part, attempts, bytes, digest, width, height, format, pages, dominant_color AS dominantColor,
    duplicate_of AS duplicateOf, reused, degraded, outputs, ms, error_code AS error, finished_at AS finishedAt,
    error_message AS message, error_fix AS fix
  FROM jobs`;

/** Newest first, even if the clock was set back. Batches of older versions have no number and come last. */
const NEWEST_FIRST = 'ORDER BY number DESC, started_at DESC, batches.id DESC';

export function createHistory({ prepare, locks, read, write }: Connection): History {
  const byPrefix = prepare<[string, string], BatchRow>(`${BATCHES} WHERE id >= ? AND id < ? LIMIT 2`);
  const newest = prepare<[number], BatchRow>(`${BATCHES} ${NEWEST_FIRST} LIMIT ?`);
  const lastOfPreset = prepare<[string], BatchRow>(`
    ${BATCHES} WHERE id IN (SELECT id FROM (
      SELECT id, row_number() OVER (PARTITION BY options ->> 'out' ORDER BY number DESC, started_at DESC) AS age
      FROM batches WHERE options ->> '$.preset.name' = ?) WHERE age = 1)`);
  const runsOf = prepare<[string], string>('SELECT id FROM runs WHERE batch = ?').pluck();
  const page = prepare<[string, string, number, number], RecordedJobRow>(`
    ${JOBS} WHERE batch = ? AND state = ? AND id > ? ORDER BY id LIMIT ?`);
  const old = prepare<[number, number], string>(`
    SELECT id FROM batches WHERE started_at < ? AND finished_at < ? ORDER BY started_at LIMIT 1`).pluck();
  const dropJobs = prepare('DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE batch = ? LIMIT ?)');
  const dropBatch = prepare('DELETE FROM batches WHERE id = ?');
  const makers = prepare<[string], Omit<Maker, 'outputs'> & { readonly outputs: string }>(`
    SELECT jobs.batch, jobs.source, given, relative, outputs
    FROM batches CROSS JOIN json_each(?) AS wanted CROSS JOIN jobs ON jobs.batch = batches.id AND source = value
    WHERE jobs.state IN ('completed', 'duplicate') ${NEWEST_FIRST}`);

  /** Shows a batch whose run died as ended, before another run has recovered it. */
  const seen = (row: BatchRow): Batch => {
    const batch = batchOf(row);
    if (batch.state !== 'running' || runsOf.all(batch.id).some(locks.isHeld)) return batch;
    const isAsked = row.cancelAsked === 1;
    const { processing, ...others } = batch.counts;
    const becomes = isAsked ? 'cancelled' : 'pending';
    const counts = { ...others, processing: 0, [becomes]: others[becomes] + processing };
    return { ...batch, counts, state: isAsked ? 'cancelled' : 'interrupted' };
  };

  return {
    batch: (idPrefix) =>
      read(() => {
        const rows = /^[0-9a-f]+$/.test(idPrefix) ? byPrefix.all(idPrefix, `${idPrefix}g`) : [];
        const [row, second] = rows;
        if (row === undefined) throw unknownBatch(idPrefix);
        if (second === undefined || row.id === idPrefix) return seen(row);
        throw severalBatches(idPrefix, row.id, second.id);
      }),
    batches: (limit) => read(() => newest.all(limit).map(seen)),
    lastOfPreset: (preset) => read(() => lastOfPreset.all(preset).map(seen)),
    async *jobs(batch, states) {
      for (const state of states) {
        for await (const rows of pagesFrom(read, 0, (after) => page.all(batch, state, after, PAGE))) {
          // Rows are in the order of work, largest first; people look for names.
          yield* rows.toSorted((a, b) => (a.source < b.source ? -1 : 1)).map(jobOf);
        }
      }
    },
    async prune(before) {
      const dropSome = (): boolean => {
        const id = old.get(before, before);
        if (id === undefined) return false;
        if (dropJobs.run(id, PAGE).changes < PAGE) dropBatch.run(id);
        return true;
      };
      while (await write(dropSome)) await breathe();
    },
    makers: (sources) =>
      read(() =>
        makers.all(JSON.stringify(sources)).map((row) => {
          return { ...row, outputs: JSON.parse(row.outputs) as Maker['outputs'] };
        }),
      ),
  };
}

/** A row of `BATCHES`. */
export type BatchRow = Omit<Batch, 'inputs' | 'options' | 'counts' | 'walkEnded' | 'aside'> &
  Readonly<Record<'inputs' | 'options' | 'counts', string> & Record<'walkEnded' | 'cancelAsked', number>> & {
    readonly aside: string | null;
  };

export function batchOf({ cancelAsked: _, ...row }: BatchRow): Batch {
  return {
    ...row,
    inputs: JSON.parse(row.inputs) as string[],
    options: JSON.parse(row.options) as BatchOptions,
    counts: JSON.parse(row.counts) as Counts,
    walkEnded: row.walkEnded === 1,
    aside: row.aside === null ? null : (JSON.parse(row.aside) as Batch['aside']),
  };
}

/** A row of `JOBS`. */
type RecordedJobRow = Omit<JobRecord, 'reused' | 'degraded' | 'outputs' | 'ms' | 'error' | 'part'> &
  Readonly<Record<'reused' | 'degraded', number> & Record<'outputs', string>> &
  Readonly<Record<'ms' | 'error' | 'message' | 'fix' | 'part', string | null>>;

function jobOf({ message, fix, ...row }: RecordedJobRow): JobRecord {
  const failure = (code: string) => ({ code, message: message ?? '', ...(fix === null ? {} : { fix }) });
  return {
    ...row,
    reused: row.reused === 1,
    degraded: row.degraded === 1,
    outputs: JSON.parse(row.outputs) as JobRecord['outputs'],
    part: row.part === null ? null : (JSON.parse(row.part) as JobRecord['part']),
    ms: row.ms === null ? null : (JSON.parse(row.ms) as JobRecord['ms']),
    error: row.error === null ? null : failure(row.error),
  };
}
