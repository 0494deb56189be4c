import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import { batchRunning, unknownBatch } from '../../errors.ts';
import type { DeadRun, NewBatch, Run, Runs } from '../../ports.ts';
import { type Connection, pagesFrom } from '../sqlite/connection.ts';
import { holding } from '../sqlite/locks.ts';
import { BATCHES, type BatchRow, batchOf } from './history.ts';

/** Output paths read in one step. */
const PAGE = 1_000;

export function createRuns({ prepare, locks, read, write }: Connection): Runs {
  const insertBatch = prepare(`
    INSERT INTO batches (id, command, state, inputs, cwd, options, started_at, number)
    VALUES (@id, @command, 'running', @inputs, @cwd, @options, @startedAt,
      (SELECT coalesce(max(number), 0) + 1 FROM batches))
    ON CONFLICT DO NOTHING`);
  const insertRun = prepare('INSERT INTO runs (id, batch) VALUES (?, ?)');
  const endBatch = prepare('UPDATE batches SET state = ?, finished_at = ? WHERE id = ?');
  const batchById = prepare<[string], BatchRow>(`${BATCHES} WHERE id = ?`);
  const reopen = prepare(`
    UPDATE batches SET state = 'running', finished_at = NULL, cancel_asked = 0, options = @options,
      walk_ended = iif(@walk, 0, walk_ended)
    WHERE id = @batch`);
  const dropOf = prepare('DELETE FROM jobs WHERE batch = ? AND source = ?');
  // A job keeps its attempts, unless it was cancelled or failed: such a job starts again from zero.
  const waitAgain = prepare(`
    UPDATE jobs SET state = 'pending', attempts = 0, not_before = 0, finished_at = NULL,
      error_code = NULL, error_message = NULL, error_fix = NULL
    WHERE batch = ? AND state = ?`);
  const retryNow = prepare(`
    UPDATE jobs SET state = 'pending', not_before = 0 WHERE batch = ? AND state = 'retrying'`);
  const forgetUnchanged = prepare(`
    UPDATE counts SET unchanged = 0,
      bytes_in = (SELECT coalesce(sum(bytes), 0) FROM jobs
        WHERE batch = @batch AND state IN ('completed', 'duplicate')),
      bytes_out = (SELECT coalesce(sum(json_extract(output.value, '$.bytes')), 0)
        FROM jobs, json_each(jobs.outputs) AS output
        WHERE jobs.batch = @batch AND (state = 'completed' OR (state = 'duplicate' AND @counted)))
    WHERE batch = @batch`);
  const forgetDamaged = prepare('DELETE FROM damaged WHERE batch = ?');
  const ask = prepare('UPDATE batches SET cancel_asked = 1 WHERE id = ?');
  const cancel = prepare(`
    UPDATE batches SET cancel_asked = 1, state = 'cancelled', finished_at = coalesce(finished_at, ?) WHERE id = ?`);
  const interrupt = prepare(`
    UPDATE batches SET state = iif(cancel_asked, 'cancelled', 'interrupted'), finished_at = ?
    WHERE id = ? AND state = 'running'`);
  // An attempt without an end does not count: most of these jobs were only taken ahead.
  const free = prepare(`
    UPDATE jobs SET state = 'pending', run = NULL, attempts = max(0, attempts - 1) WHERE run = ?`);
  const isCancelAsked = prepare<[string], number>('SELECT cancel_asked FROM batches WHERE id = ?').pluck();
  const cancelAll = prepare(`
    UPDATE jobs SET state = 'cancelled', finished_at = ? WHERE batch = ? AND state IN ('pending', 'retrying')`);
  const batchOfRun = prepare<[string], string>('SELECT batch FROM runs WHERE id = ?').pluck();
  const dropRun = prepare('DELETE FROM runs WHERE id = ?');
  const runsOf = prepare<[string], string>('SELECT id FROM runs WHERE batch = ?').pluck();
  const runs = prepare<[], Run>('SELECT id AS run, batch FROM runs');
  // A job that replaces its outputs first writes the old ones to the names of skipped duplicates.
  const reserved = prepare<[Run], string>(`
    SELECT path FROM outputs WHERE source IN (SELECT source FROM jobs WHERE run = @run)
    UNION ALL
    SELECT outputs.path FROM jobs JOIN sources ON sources.path = jobs.source
      JOIN outputs ON outputs.digest = sources.digest AND outputs.checksum IS NULL
    WHERE jobs.run = @run`).pluck();
  const paths = prepare<[number, number], { id: number; path: string }>(`
    SELECT id, path FROM outputs WHERE id > ? ORDER BY id LIMIT ?`);

  const found = (batch: string) => {
    const row = batchById.get(batch);
    if (row === undefined) throw unknownBatch(batch);
    return batchOf(row);
  };

  return {
    begin: (batch) =>
      holding(locks, batch.run, () =>
        write(() => {
          const id = insertUnderNewId(batch);
          insertRun.run(batch.run, id);
          return { batch: id, run: batch.run };
        }),
      ),
    resume: (run, batch, { states, walk, withdrawn, options }) =>
      holding(locks, run, () =>
        write(() => {
          // A dead run needs `recover` first.
          if (found(batch).state === 'running') throw batchRunning(batch);
          const isUnwalked = walk || withdrawn.length > 0;
          reopen.run({ batch, options: JSON.stringify(options), walk: isUnwalked ? 1 : 0 });
          insertRun.run(run, batch);
          for (const source of withdrawn) dropOf.run(batch, source);
          for (const state of states) waitAgain.run(batch, state);
          retryNow.run(batch);
          if (walk) {
            forgetUnchanged.run({ batch, counted: options.duplicates === 'skip' ? 0 : 1 });
            forgetDamaged.run(batch);
          }
          return { run: { run, batch }, batch: found(batch) };
        }),
      ),
    async end({ batch, run }, state) {
      const row = await write(() => {
        free.run(run);
        // When the lock was removed, another process has recovered this run, and may work on its batch.
        if (dropRun.run(run).changes === 1) endBatch.run(state, Date.now(), batch);
        return batchById.get(batch);
      });
      locks.release(run);
      if (row === undefined) throw new Error(`batch ${batch} is not there`);
      return batchOf(row);
    },
    askToCancel: (batch) =>
      write(() => {
        const { state, counts } = found(batch);
        if (state === 'running') {
          ask.run(batch);
          // `recover` cancels the jobs that a dead run had in work.
          return runsOf.all(batch).some(locks.isHeld) ? 'asked' : 'cancelled';
        }
        const left = counts.pending + counts.retrying + counts.processing;
        if (left === 0 && state !== 'interrupted') return 'ended';
        cancel.run(Date.now(), batch);
        return 'cancelled';
      }),
    isCancelAsked: ({ batch, run }) =>
      read(() => {
        locks.check(run);
        return isCancelAsked.get(batch) === 1;
      }),
    async dead() {
      const { dead, leftBehind } = await read(() => {
        const all = runs.all();
        const dead = all.filter(({ run }) => !locks.isHeld(run));
        return {
          dead: dead.map((run): DeadRun => ({ ...run, outputs: reserved.all(run) })),
          leftBehind: locks.leftBehind(new Set(all.map(({ run }) => run))),
        };
      });
      if (leftBehind.length === 0) return dead;
      const outputs = await oneInEachFolder();
      return [...dead, ...leftBehind.map((run) => ({ run, batch: '', outputs }))];
    },
    recover: (dead) =>
      write(() => {
        for (const { run } of dead) {
          const batch = batchOfRun.get(run);
          // Another process may have recovered this run, and resumed its batch. Or the row was lost.
          if (batch !== undefined) {
            free.run(run);
            dropRun.run(run);
            if (isCancelAsked.get(batch) === 1) cancelAll.run(Date.now(), batch);
            interrupt.run(Date.now(), batch);
          }
          locks.release(run);
        }
      }),
  };

  /** When the row of a run is missing, it is unknown where the run wrote. */
  async function oneInEachFolder(): Promise<string[]> {
    const found = new Map<string, string>();
    for await (const page of pagesFrom(read, 0, (after) => paths.all(after, PAGE))) {
      for (const { path } of page) found.set(dirname(path), path);
    }
    return [...found.values()];
  }

  function insertUnderNewId({ command, cwd, ...batch }: NewBatch): string {
    const inputs = JSON.stringify(batch.inputs);
    const options = JSON.stringify(batch.options);
    for (;;) {
      const id = randomBytes(4).toString('hex');
      const row = { id, command, inputs, cwd, options, startedAt: Date.now() };
      if (insertBatch.run(row).changes === 1) return id;
    }
  }
}
