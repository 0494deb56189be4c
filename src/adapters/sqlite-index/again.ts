import { batchRunning, ImgtoolError } from '../../errors.ts';
import type { Output } from '../../model.ts';
import type { Index, Maker } from '../../ports.ts';
import type { Connection } from './connection.ts';
import { BATCHES, type BatchRow, batchOf } from './history.ts';
import { holding } from './locks.ts';

type Again = Pick<Index, 'resume' | 'known' | 'askToCancel' | 'isCancelAsked' | 'makers'>;

/** Batches that are taken up again, or to be stopped, by another process than their own. */
export function openAgain({ prepare, locks, read, write }: Connection): Again {
  const batchById = prepare<[string], BatchRow>(`${BATCHES} WHERE id = ?`);
  const runsOf = prepare<[string], string>('SELECT id FROM runs WHERE batch = ?').pluck();
  const insertRun = prepare('INSERT INTO runs (id, batch) VALUES (?, ?)');
  const reopen = prepare(
    `UPDATE batches SET state = 'running', finished_at = NULL, cancel_asked = 0, options = @options,
       walk_ended = iif(@walk, 0, walk_ended)
     WHERE id = @batch`,
  );
  // Its attempts are those of before; who was cancelled or failed gets all of them anew.
  const waitAgain = prepare(
    `UPDATE jobs SET state = 'pending', attempts = 0, not_before = 0, finished_at = NULL,
       error_code = NULL, error_message = NULL, error_fix = NULL
     WHERE batch = ? AND state = ?`,
  );
  const retryNow = prepare(
    "UPDATE jobs SET state = 'pending', not_before = 0 WHERE batch = ? AND state = 'retrying'",
  );
  const forgetUnchanged = prepare(
    `UPDATE counts SET unchanged = 0,
       bytes_in = (SELECT coalesce(sum(bytes), 0) FROM jobs
         WHERE batch = @batch AND state IN ('completed', 'duplicate')),
       bytes_out = (SELECT coalesce(sum(json_extract(output.value, '$.bytes')), 0)
         FROM jobs, json_each(jobs.outputs) AS output
         WHERE jobs.batch = @batch AND (state = 'completed' OR (state = 'duplicate' AND @counted)))
     WHERE batch = @batch`,
  );
  const isIn = prepare<[string, string], number>('SELECT 1 FROM jobs WHERE batch = ? AND source = ?').pluck();
  const ask = prepare('UPDATE batches SET cancel_asked = 1 WHERE id = ?');
  const cancel = prepare(
    `UPDATE batches SET cancel_asked = 1, state = 'cancelled', finished_at = coalesce(finished_at, ?) WHERE id = ?`,
  );
  const asked = prepare<[string], number>('SELECT cancel_asked FROM batches WHERE id = ?').pluck();
  const makers = prepare<[string], MakerRow>(
    `SELECT jobs.batch, jobs.source, given, relative, outputs
     FROM batches CROSS JOIN json_each(?) AS wanted CROSS JOIN jobs ON jobs.batch = batches.id AND source = value
     WHERE jobs.state IN ('completed', 'duplicate') ORDER BY started_at DESC, batches.id DESC`,
  );

  const found = (batch: string): BatchRow => {
    const row = batchById.get(batch);
    if (row !== undefined) return row;
    throw new ImgtoolError('unknown_batch', `${batch}: no batch has this id`, { fix: 'imgtool list' });
  };
  const isAlive = (batch: string) => runsOf.all(batch).some(locks.isHeld);

  return {
    resume: (run, batch, { states, walk, options }) =>
      holding(locks, run, () =>
        write(() => {
          // A run that died is tidied up after by `recover`, which knows what it may have left.
          if (found(batch).state === 'running') {
            throw batchRunning(batch);
          }
          reopen.run({ batch, options: JSON.stringify(options), walk: walk ? 1 : 0 });
          insertRun.run(run, batch);
          for (const state of states) waitAgain.run(batch, state);
          retryNow.run(batch);
          if (walk) forgetUnchanged.run({ batch, counted: options.duplicates === 'skip' ? 0 : 1 });
          return { run: { run, batch }, batch: batchOf(found(batch)) };
        }),
      ),
    known: ({ batch }, sources) =>
      read(() => sources.filter((source) => isIn.get(batch, source) !== undefined)),
    askToCancel: (batch) =>
      write(() => {
        const { state, pending, retrying, processing } = found(batch);
        if (state === 'running' && isAlive(batch)) {
          ask.run(batch);
          return 'asked';
        }
        if (state === 'running') {
          // What its dead run has in work is cancelled by `recover`.
          ask.run(batch);
          return 'cancelled';
        }
        if (pending + retrying + processing === 0 && state !== 'interrupted') return 'ended';
        cancel.run(Date.now(), batch);
        return 'cancelled';
      }),
    isCancelAsked: ({ batch, run }) =>
      read(() => {
        locks.check(run);
        return asked.get(batch) === 1;
      }),
    makers: (sources) => read(() => makers.all(JSON.stringify(sources)).map(makerOf)),
  };
}

interface MakerRow extends Omit<Maker, 'outputs'> {
  readonly outputs: string;
}

function makerOf({ outputs, ...row }: MakerRow): Maker {
  return { ...row, outputs: JSON.parse(outputs) as Output[] };
}
