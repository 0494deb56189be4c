import Sqlite from 'better-sqlite3';
import { keep } from '../../src/adapters/sqlite/binding.ts';
import { type BatchOptions, JOB_STATES, type JobState, type Output } from '../../src/model.ts';

/** The contents of an index file, read without the program. */
export interface Recorded {
  readonly outputs: readonly OutputRow[];
  readonly jobs: readonly JobRow[];
  /** Oldest first. */
  readonly batches: readonly BatchRow[];
  readonly runs: readonly string[];
  /** Problems of the file. Empty if there are none. */
  readonly problems: readonly unknown[];
}

interface OutputRow {
  readonly key: string;
  readonly path: string;
  readonly source: string;
  readonly digest: string | null;
  /** Null for a name that is only reserved. */
  readonly checksum: string | null;
  readonly size: number | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly format: string | null;
}

interface JobRow {
  readonly id: number;
  readonly batch: string;
  readonly source: string;
  /** As the user would write it, and as events contain it. */
  readonly given: string;
  readonly state: JobState;
  readonly outputs: readonly Output[];
}

interface BatchRow {
  readonly id: string;
  readonly command: string;
  readonly state: string;
  readonly options: BatchOptions;
  readonly counts: Readonly<Record<string, number>>;
}

export function readIndex(index: string): Recorded {
  const db = keep(new Sqlite(index, { readonly: true }));
  const all = <T>(sql: string) => keep(db.prepare<[], T>(sql)).all();
  try {
    return {
      outputs: all<OutputRow>('SELECT * FROM outputs ORDER BY id'),
      jobs: all<Raw<JobRow, 'outputs'>>('SELECT * FROM jobs ORDER BY id').map((row) => ({
        ...row,
        outputs: JSON.parse(row.outputs) as Output[],
      })),
      batches: all<Raw<BatchRow, 'options'> & Record<JobState, number>>(
        'SELECT * FROM batches JOIN counts ON counts.batch = batches.id ORDER BY started_at, id',
      ).map((row) => ({
        ...row,
        options: JSON.parse(row.options) as BatchOptions,
        counts: Object.fromEntries(JOB_STATES.map((state) => [state, row[state]])),
      })),
      runs: all<{ id: string }>('SELECT id FROM runs').map(({ id }) => id),
      problems: [
        ...all<{ integrity_check: string }>('PRAGMA integrity_check')
          .map((row) => row.integrity_check)
          .filter((text) => text !== 'ok'),
        ...all<unknown>('PRAGMA foreign_key_check'),
      ],
    };
  } finally {
    db.close();
  }
}

/** A row, with the JSON of these columns parsed. */
type Raw<T, Json extends keyof T> = Omit<T, Json> & Record<Json, string>;
