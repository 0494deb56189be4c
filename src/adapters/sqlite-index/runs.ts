import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import type { DeadRun, Index, NewBatch, Run } from '../../ports.ts';
import type { Connection } from './connection.ts';
import { BATCHES, type BatchRow, batchOf } from './history.ts';
import { holding } from './locks.ts';

type Runs = Pick<Index, 'begin' | 'end' | 'dead' | 'recover'>;

/** Output paths read in one step. */
const PAGE = 1_000;

/** Runs: how they begin and end, and what becomes of those whose process died. */
export function openRuns({ prepare, locks, read, write }: Connection): Runs {
  const insertBatch = prepare(
    `INSERT INTO batches (id, command, state, inputs, cwd, options, started_at)
     VALUES (@id, @command, 'running', @inputs, @cwd, @options, @startedAt) ON CONFLICT DO NOTHING`,
  );
  const insertRun = prepare('INSERT INTO runs (id, batch) VALUES (?, ?)');
  const endBatch = prepare('UPDATE batches SET state = ?, finished_at = ? WHERE id = ?');
  const ended = prepare<[string], BatchRow>(`${BATCHES} WHERE id = ?`);
  const interrupt = prepare(
    `UPDATE batches SET state = iif(cancel_asked, 'cancelled', 'interrupted'), finished_at = ?
     WHERE id = ? AND state = 'running'`,
  );
  // An attempt that nobody saw the end of is none: most of these jobs were only taken ahead.
  const free = prepare(
    "UPDATE jobs SET state = 'pending', run = NULL, attempts = max(0, attempts - 1) WHERE run = ?",
  );
  const isCancelAsked = prepare<[string], number>('SELECT cancel_asked FROM batches WHERE id = ?').pluck();
  const cancelAll = prepare(
    `UPDATE jobs SET state = 'cancelled', finished_at = ? WHERE batch = ? AND state IN ('pending', 'retrying')`,
  );
  const batchOfRun = prepare<[string], string>('SELECT batch FROM runs WHERE id = ?').pluck();
  const dropRun = prepare('DELETE FROM runs WHERE id = ?');
  const runs = prepare<[], Run>('SELECT id AS run, batch FROM runs');
  // Also those of skipped duplicates, which get outputs before their owner's are replaced.
  const reserved = prepare<[Run], string>(
    `SELECT path FROM outputs WHERE source IN (SELECT source FROM jobs WHERE run = @run)
     UNION ALL
     SELECT outputs.path FROM jobs JOIN sources ON sources.path = jobs.source
       JOIN outputs ON outputs.digest = sources.digest AND outputs.checksum IS NULL
     WHERE jobs.run = @run`,
  ).pluck();
  const paths = prepare<[number, number], { id: number; path: string }>(
    'SELECT id, path FROM outputs WHERE id > ? ORDER BY id LIMIT ?',
  );

  return {
    begin: (batch: NewBatch) =>
      holding(locks, batch.run, () =>
        write(() => {
          const id = insertUnderNewId(batch);
          insertRun.run(batch.run, id);
          return { batch: id, run: batch.run };
        }),
      ),
    async end({ batch, run }, state) {
      const row = await write(() => {
        free.run(run);
        // Taken for dead, as its lock was removed, it has no batch any more: another run may work on that.
        if (dropRun.run(run).changes === 1) endBatch.run(state, Date.now(), batch);
        return ended.get(batch);
      });
      locks.release(run);
      if (row === undefined) throw new Error(`batch ${batch} is not there`);
      return batchOf(row);
    },
    async dead() {
      const { dead, leftBehind } = await read(() => {
        const all = runs.all();
        const dead = all
          .filter(({ run }) => !locks.isHeld(run))
          .map((run): DeadRun => ({ ...run, outputs: reserved.all(run) }));
        return { dead, leftBehind: locks.leftBehind(new Set(all.map(({ run }) => run))) };
      });
      if (leftBehind.length === 0) return dead;
      const outputs = await oneInEachFolder();
      return [...dead, ...leftBehind.map((run) => ({ run, batch: '', outputs }))];
    },
    recover: (dead) =>
      write(() => {
        for (const { run } of dead) {
          const batch = batchOfRun.get(run);
          // Another process may have been quicker, and its batch be resumed by now; or it was lost with its row.
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

  /** Of a run whose row was lost nobody knows where it worked. */
  async function oneInEachFolder(): Promise<string[]> {
    const found = new Map<string, string>();
    for (let after: number | undefined = 0; after !== undefined; ) {
      const page: { id: number; path: string }[] = await read(() => paths.all(after ?? 0, PAGE));
      for (const { path } of page) found.set(dirname(path), path);
      after = page.length < PAGE ? undefined : page.at(-1)?.id;
    }
    return [...found.values()];
  }

  function insertUnderNewId(batch: NewBatch): string {
    for (;;) {
      const id = randomBytes(4).toString('hex');
      const { changes } = insertBatch.run({
        id,
        command: batch.command,
        inputs: JSON.stringify(batch.inputs),
        cwd: batch.cwd,
        options: JSON.stringify(batch.options),
        startedAt: Date.now(),
      });
      if (changes === 1) return id;
    }
  }
}
