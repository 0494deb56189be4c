import { existsSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import sharp from 'sharp';
import { expect } from 'vitest';
import { keep } from '../../src/adapters/sqlite-index/kept.ts';
import { JOB_STATES, type Output } from '../../src/model.ts';
import { filesBelow, type Outcome, type Place } from './imgtool.ts';
import { hashOf } from './pictures.ts';

/** Sources as they were: path -> digest. */
export type Sources = ReadonlyMap<string, string>;

interface Expected {
  /** Taken by `sourcesOf` before the fault. */
  readonly sources: Sources;
  /** How the last run ended. */
  readonly outcome?: Outcome;
  /** Output folders below the place's. */
  readonly outs?: readonly string[];
  /** Files below them that the test put there itself. */
  readonly foreign?: readonly string[];
  /** Outputs the test took away and that nobody was to bring back. */
  readonly gone?: readonly string[];
}

/** Digests of all files in folders below a place's. */
export function sourcesOf(place: Place, ...folders: string[]): Sources {
  const paths = folders.flatMap((folder) =>
    filesBelow(place.at(folder)).map((name) => place.at(folder, name)),
  );
  return new Map(paths.filter((path) => lstatSync(path).isFile()).map((path) => [path, hashOf(path)]));
}

/** What must hold, whatever happened, once no run of this place is alive and one has started since: I1 to I8. */
export async function assertInvariants(place: Place, expected: Expected): Promise<void> {
  const { sources, outcome, outs = ['out'], foreign = [], gone = [] } = expected;
  for (const [path, digest] of sources) expect(hashOf(path), `I1: ${path} is as before`).toBe(digest);
  const record = recordOf(place.index);
  const outputs = new Map(record.outputs.map((row) => [row.path, row]));
  const found = outs.flatMap((out) => (existsSync(place.at(out)) ? filesIn(place.at(out)) : []));
  for (const path of found) {
    if (foreign.some((one) => place.at(one) === path) || sources.has(path)) continue;
    expect(path, 'I3: nothing staged is left').not.toMatch(/\.imgtool-[^/]*\.tmp$/);
    const row = outputs.get(path);
    expect(row, `I4: ${path} has its row`).toBeDefined();
    expect(hashOf(path), `I2: ${path} is as recorded`).toBe(row?.checksum);
    await expect(sharp(path).raw().toBuffer(), `I2: ${path} decodes`).resolves.toBeDefined();
  }
  for (const { outputs: json } of record.completed) {
    for (const { path } of JSON.parse(json) as Output[]) {
      if (gone.some((one) => place.at(one) === path)) continue;
      expect(existsSync(path), `I4: ${path} of a completed job is there`).toBe(true);
    }
  }
  expect(record.processing, 'I5: no job is processing').toBe(0);
  for (const { batch, counts, rows } of record.batches) {
    // Of unchanged ones there are no rows.
    expect(counts, `I6: counts of batch ${batch}`).toEqual({ ...rows, unchanged: counts.unchanged });
  }
  expect(record.integrity, 'I7').toEqual([]);
  if (outcome !== undefined) assertExit(outcome, record.batches.at(-1));
}

function filesIn(folder: string): string[] {
  return filesBelow(folder).map((name) => join(folder, name));
}

interface OutputRow {
  readonly path: string;
  readonly source: string;
  readonly checksum: string | null;
}

interface BatchSum {
  readonly batch: string;
  readonly state: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly rows: Readonly<Record<string, number>>;
}

function recordOf(index: string) {
  const db = keep(new Sqlite(index, { readonly: true }));
  const prepare = ((sql: string) => keep(db.prepare(sql))) as typeof db.prepare;
  try {
    const counted = prepare<[], { batch: string; state: string; n: number }>(
      'SELECT batch, state, count(*) AS n FROM jobs GROUP BY batch, state',
    );
    const batches = prepare<[], { id: string; state: string } & Record<string, number>>(
      'SELECT * FROM batches JOIN counts ON counts.batch = batches.id ORDER BY started_at, id',
    );
    const inState = counted.all();
    return {
      outputs: prepare<[], OutputRow>('SELECT path, source, checksum FROM outputs').all(),
      completed: prepare<[], { outputs: string }>("SELECT outputs FROM jobs WHERE state = 'completed'").all(),
      processing: inState.filter(({ state }) => state === 'processing').length,
      batches: batches.all().map((row): BatchSum => {
        const countOf = (state: string) =>
          inState.find((one) => one.batch === row.id && one.state === state)?.n ?? 0;
        return {
          batch: row.id,
          state: row.state,
          counts: Object.fromEntries(JOB_STATES.map((state) => [state, Number(row[state])])),
          rows: Object.fromEntries(JOB_STATES.map((state) => [state, countOf(state)])),
        };
      }),
      integrity: [
        ...prepare<[], string>('PRAGMA integrity_check')
          .pluck()
          .all()
          .filter((text) => text !== 'ok'),
        ...prepare<[], unknown>('PRAGMA foreign_key_check').all(),
      ],
    };
  } finally {
    db.close();
  }
}

function assertExit({ code, signal }: Outcome, batch: BatchSum | undefined): void {
  const failed = batch?.counts.failed ?? 0;
  const stopped = signal !== null || code === 130 || code === 141;
  const expected = stopped ? 'cancelled' : code === 3 ? 'interrupted' : 'finished';
  expect(batch?.state, `I8: exit ${signal ?? code}`).toBe(expected);
  if (!stopped && code !== 3) expect(code, 'I8: exit code agrees with the failures').toBe(failed > 0 ? 1 : 0);
}
