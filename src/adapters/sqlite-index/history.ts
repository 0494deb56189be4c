import { setImmediate as breathe } from 'node:timers/promises';
import { ImgtoolError } from '../../errors.ts';
import {
  type Batch,
  type BatchOptions,
  type Counts,
  JOB_STATES,
  type JobRecord,
  type Output,
} from '../../model.ts';
import type { History, Index, Maker } from '../../ports.ts';
import { type Connection, connect } from './connection.ts';
import { indexError } from './errors.ts';

/** Rows read or removed in one step, so that no step holds the index for long. */
const PAGE = 500;

/** Batches with their counts. */
export const BATCHES = 'SELECT * FROM batches JOIN counts ON counts.batch = batches.id';

/** What `list` and `status` ask for. */
export type PastBatches = Pick<Index, 'batch' | 'batches' | 'jobs' | 'close'>;

export function createHistory({ prepare, locks, read, write }: Connection): History {
  const byPrefix = prepare<[string, string], BatchRow>(`${BATCHES} WHERE id >= ? AND id < ? LIMIT 2`);
  const newest = prepare<[number], BatchRow>(`${BATCHES} ORDER BY started_at DESC, id DESC LIMIT ?`);
  const runsOf = prepare<[string], string>('SELECT id FROM runs WHERE batch = ?').pluck();
  const page = prepare<[string, string, number, number], JobRow>(
    'SELECT * FROM jobs WHERE batch = ? AND state = ? AND id > ? ORDER BY id LIMIT ?',
  );
  const old = prepare<[number, number], string>(
    'SELECT id FROM batches WHERE started_at < ? AND finished_at < ? ORDER BY started_at LIMIT 1',
  ).pluck();
  const dropJobs = prepare('DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE batch = ? LIMIT ?)');
  const dropBatch = prepare('DELETE FROM batches WHERE id = ?');
  const makers = prepare<[string], Omit<Maker, 'outputs'> & { readonly outputs: string }>(
    `SELECT jobs.batch, jobs.source, given, relative, outputs
     FROM batches CROSS JOIN json_each(?) AS wanted CROSS JOIN jobs ON jobs.batch = batches.id AND source = value
     WHERE jobs.state IN ('completed', 'duplicate') ORDER BY started_at DESC, batches.id DESC`,
  );

  /** Shows a batch whose run died as ended, before another run has recovered it. */
  const seen = (row: BatchRow): Batch => {
    const batch = batchOf(row);
    if (batch.state !== 'running' || runsOf.all(batch.id).some(locks.isHeld)) return batch;
    const isAsked = row.cancel_asked === 1;
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
        if (row === undefined) {
          throw new ImgtoolError('unknown_batch', `${idPrefix}: no batch has this id`, {
            fix: 'imgtool list',
          });
        }
        if (second !== undefined && row.id !== idPrefix) {
          throw new ImgtoolError(
            'unknown_batch',
            `${idPrefix}: several batches begin so (${row.id}, ${second.id})`,
            {
              fix: 'give more of the id',
            },
          );
        }
        return seen(row);
      }),
    batches: (limit) => read(() => newest.all(limit).map(seen)),
    async *jobs(batch, states) {
      for (const state of states) {
        let after = 0;
        for (;;) {
          const rows = await read(() => page.all(batch, state, after, PAGE));
          // Rows are in the order of work, largest first; people look for names.
          yield* rows.toSorted((a, b) => (a.source < b.source ? -1 : 1)).map(jobOf);
          const last = rows.at(-1);
          if (last === undefined || rows.length < PAGE) break;
          after = last.id;
        }
      }
    },
    async prune(before) {
      for (;;) {
        const done = await write(() => {
          const id = old.get(before, before);
          if (id === undefined) return true;
          if (dropJobs.run(id, PAGE).changes < PAGE) dropBatch.run(id);
          return false;
        });
        if (done) return;
        await breathe();
      }
    },
    makers: (sources) =>
      read(() =>
        makers
          .all(JSON.stringify(sources))
          .map(({ outputs, ...row }) => ({ ...row, outputs: JSON.parse(outputs) as Output[] })),
      ),
  };
}

/** The history alone, for commands that only look at it. The file may be write-protected. Errors: those of an index. */
export async function openSqliteHistory(path: string): Promise<PastBatches> {
  const connection = await connect(path, { purpose: 'look' });
  try {
    const { batch, batches, jobs } = createHistory(connection);
    return { batch, batches, jobs, close: async () => connection.close() };
  } catch (error) {
    connection.close();
    throw indexError(error, path);
  }
}

/** A row of `batches` joined with its counts. */
export interface BatchRow extends Counts {
  readonly id: string;
  readonly command: Batch['command'];
  readonly state: Batch['state'];
  readonly inputs: string;
  readonly cwd: string;
  readonly options: string;
  readonly started_at: number;
  readonly finished_at: number | null;
  readonly walk_ended: number;
  readonly passed_over: number;
  readonly bytes_in: number;
  readonly bytes_out: number;
  readonly cancel_asked: number;
}

export function batchOf(row: BatchRow): Batch {
  const options = JSON.parse(row.options) as BatchOptions;
  return {
    id: row.id,
    command: row.command,
    state: row.state,
    inputs: JSON.parse(row.inputs) as string[],
    out: options.out,
    cwd: row.cwd,
    preset: options.preset.name,
    jobs: options.jobs,
    options,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    counts: Object.fromEntries(JOB_STATES.map((state) => [state, row[state]])) as Counts,
    passedOver: row.passed_over,
    bytesIn: row.bytes_in,
    bytesOut: row.bytes_out,
    walkEnded: row.walk_ended === 1,
  };
}

interface JobRow {
  readonly id: number;
  readonly source: string;
  readonly state: JobRecord['state'];
  readonly attempts: number;
  readonly bytes: number | null;
  readonly digest: string | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly dominant_color: string | null;
  readonly duplicate_of: string | null;
  readonly reused: number;
  readonly degraded: number;
  readonly outputs: string;
  readonly ms: string | null;
  readonly error_code: string | null;
  readonly error_message: string | null;
  readonly error_fix: string | null;
  readonly finished_at: number | null;
}

function jobOf(row: JobRow): JobRecord {
  return {
    source: row.source,
    state: row.state,
    attempts: row.attempts,
    bytes: row.bytes,
    digest: row.digest,
    width: row.width,
    height: row.height,
    dominantColor: row.dominant_color,
    duplicateOf: row.duplicate_of,
    reused: row.reused === 1,
    degraded: row.degraded === 1,
    outputs: JSON.parse(row.outputs) as JobRecord['outputs'],
    ms: row.ms === null ? null : (JSON.parse(row.ms) as JobRecord['ms']),
    error:
      row.error_code === null
        ? null
        : {
            code: row.error_code,
            message: row.error_message ?? '',
            ...(row.error_fix === null ? {} : { fix: row.error_fix }),
          },
    finishedAt: row.finished_at,
  };
}
