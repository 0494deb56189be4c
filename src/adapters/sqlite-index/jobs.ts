import type { Job } from '../../model.ts';
import type { Jobs, NewJob, Settlement, UnchangedTotals } from '../../ports.ts';
import type { Connection } from '../sqlite/connection.ts';
import { openGroupCommit } from '../sqlite/group-commit.ts';
import type { NameRecords } from './catalog.ts';

export function createJobs(connection: Connection, names: NameRecords): Jobs {
  const { prepare, locks, read, write } = connection;
  const groupCommit = openGroupCommit(connection);
  const known = prepare<[string, string], { id: number; state: string }>(`
    SELECT id, state FROM jobs WHERE batch = ? AND source = ?`);
  // The row keeps the earlier result. If the source has the same bytes again, that result is valid again.
  const renew = prepare(`
    UPDATE jobs SET state = 'pending', naming = ?, attempts = 0, not_before = 0, finished_at = NULL,
      error_code = NULL, error_message = NULL, error_fix = NULL,
      was_duplicate_of = coalesce(duplicate_of, was_duplicate_of), duplicate_of = NULL
    WHERE id = ?`);
  const insertJob = prepare(`
    INSERT INTO jobs (batch, source, given, relative, naming, state, attempts, error_code, error_message, error_fix, finished_at)
    VALUES (@batch, @source, @given, @relative, @naming, @state, @attempts, @code, @message, @fix, @now)`);
  const addTotals = prepare(`
    UPDATE counts SET unchanged = unchanged + @unchanged, bytes_in = bytes_in + @bytesIn,
      bytes_out = bytes_out + @bytesOut WHERE batch = @batch`);
  const noteDamaged = prepare('INSERT OR IGNORE INTO damaged (batch, source) VALUES (?, ?)');
  const dropDamaged = prepare('DELETE FROM damaged WHERE batch = ? AND source = ?');
  const walked = prepare(`
    UPDATE batches SET walk_ended = ?, passed_over = ?, aside = coalesce(?, aside) WHERE id = ?`);
  const take = prepare<[string, string, string, number, number], Job>(`
    UPDATE jobs SET state = 'processing', run = ?, attempts = attempts + 1, part = NULL
    WHERE id IN (
      SELECT id FROM (SELECT id FROM jobs WHERE batch = ? AND state = 'pending' ORDER BY id LIMIT 1000)
      UNION ALL
      SELECT id FROM jobs WHERE batch = ? AND state = 'retrying' AND not_before <= ?
      LIMIT ?)
    RETURNING id, batch, source, given, relative, naming, attempts - 1 AS attempts`);
  const notePart = prepare("UPDATE jobs SET part = ? WHERE id = ? AND state = 'processing'");
  const anyWaiting = prepare<[string], number>(`
    SELECT 1 FROM jobs WHERE batch = ? AND state IN ('pending', 'retrying') LIMIT 1`).pluck();
  const anyInWork = prepare<[string], number>(`
    SELECT 1 FROM jobs WHERE run IS NOT NULL AND source = ? LIMIT 1`).pluck();
  const claimOf = prepare<[string], { run: string; job: number }>(`
    SELECT run, job FROM claims WHERE digest = ?`);
  const putClaim = prepare('INSERT OR REPLACE INTO claims (digest, run, job) VALUES (?, ?, ?)');
  const dropClaim = prepare('DELETE FROM claims WHERE job = ?');
  const dropJob = prepare('DELETE FROM jobs WHERE id = ?');
  const settle = prepare(`
    UPDATE jobs SET state = @state, run = NULL, bytes = @bytes, digest = @digest, width = @width, height = @height,
      format = @format, pages = @pages, dominant_color = @dominantColor, duplicate_of = @duplicateOf, was_duplicate_of = NULL, reused = @reused,
      degraded = @degraded, outputs = @outputs, ms = @ms, error_code = @code, error_message = @message, error_fix = @fix, finished_at = @now
    WHERE id = @id`);
  // The bytes are the same as before, so the earlier result stands.
  const restore = prepare(`
    UPDATE jobs SET state = iif(was_duplicate_of IS NULL, 'completed', 'duplicate'), duplicate_of = was_duplicate_of,
      was_duplicate_of = NULL, run = NULL, finished_at = ?
    WHERE id = ? AND digest = ?`);
  const giveBack = prepare(`
    UPDATE jobs SET state = ?, run = NULL, not_before = ?, attempts = attempts - ? WHERE id = ?`);
  const cancel = prepare(`
    UPDATE jobs SET state = 'cancelled', finished_at = ? WHERE id IN
      (SELECT id FROM jobs WHERE batch = ? AND state IN ('pending', 'retrying') LIMIT ?)`);

  /** Of these owners, those without a job in work: a source in work may still make outputs under its names. */
  const idle = (owners: readonly string[] = []) => owners.filter((owner) => anyInWork.get(owner) !== 1);

  const addUp = (batch: string, { degraded, ...totals }: UnchangedTotals) => {
    addTotals.run({ ...totals, batch });
    for (const source of degraded) noteDamaged.run(batch, source);
  };
  /** Counts these sources no longer as unchanged. */
  const takeOff = (batch: string, sources: readonly string[]) => {
    addTotals.run({ batch, unchanged: -sources.length, bytesIn: 0, bytesOut: 0 });
    for (const source of sources) dropDamaged.run(batch, source);
  };

  return {
    add: ({ batch }, jobs, unchanged) =>
      write(() => {
        const added = [...new Map(jobs.map((job) => [job.source, job])).values()]
          .filter(({ source }) => known.get(batch, source) === undefined)
          .map((job) => ({ job, naming: reserveNames({ ...job, gone: idle(job.gone) }, names) }))
          // Jobs are taken in the order of their rows.
          .sort((a, b) => (b.job.size ?? 0) - (a.job.size ?? 0));
        for (const { job, naming } of added) {
          const failed = job.failed && { ...job.failed, state: 'failed', attempts: 1, now: Date.now() };
          insertJob.run({ ...pendingRow(job, batch, naming), ...failed });
        }
        addUp(batch, unchanged);
        return added.length;
      }),
    renew: ({ batch }, jobs) =>
      write(() => {
        let begun = 0;
        const counted: string[] = [];
        const inWork: string[] = [];
        for (const job of jobs) {
          const row = known.get(batch, job.source);
          if (row?.state === 'processing' || idle(job.gone).length < (job.gone?.length ?? 0)) {
            inWork.push(job.source);
            continue;
          }
          const naming = reserveNames(job, names);
          if (row !== undefined) renew.run(naming, row.id);
          else {
            insertJob.run(pendingRow(job, batch, naming));
            if (job.isCounted) counted.push(job.source);
          }
          if (row?.state !== 'pending' && row?.state !== 'retrying') begun++;
        }
        takeOff(batch, counted);
        return { begun, inWork };
      }),
    known: ({ batch }, sources) =>
      read(() => sources.filter((source) => known.get(batch, source) !== undefined)),
    withdraw: ({ id, source }) =>
      write(() => {
        dropClaim.run(id);
        dropJob.run(id);
        names.lapse(source);
      }),
    withdrawGone: ({ batch }, gone) =>
      write(() => {
        const rows = gone.map((one) => ({ ...one, row: known.get(batch, one.source) }));
        const waiting = rows.filter(({ row }) => row?.state === 'pending' || row?.state === 'retrying');
        for (const { row, source } of waiting) {
          dropJob.run(row?.id);
          names.lapse(source);
        }
        const counted = rows.filter(({ row, isCounted }) => row === undefined && isCounted);
        takeOff(
          batch,
          counted.map(({ source }) => source),
        );
        return waiting.map(({ source }) => source);
      }),
    walked: ({ batch }, passedOver, ended, aside) =>
      write(() => void walked.run(ended ? 1 : 0, passedOver, aside ? JSON.stringify(aside) : null, batch)),
    notePart: (job, part) => write(() => void notePart.run(JSON.stringify(part), job)),
    take: ({ batch, run }, limit, now) =>
      write(() => {
        // A caller that only asks whether there is a job gets its answer in a tenth of the time.
        if (anyWaiting.get(batch) === undefined) return [];
        return take.all(run, batch, batch, Math.ceil(now), limit).sort((a, b) => a.id - b.id);
      }),
    claim: ({ run }, job, digest) =>
      write(() => {
        const claim = claimOf.get(digest);
        if (claim?.job === job.id) return true;
        dropClaim.run(job.id);
        if (claim !== undefined && locks.isHeld(claim.run)) return false;
        putClaim.run(digest, run, job.id);
        return true;
      }),
    settle: ({ batch }, job, result) =>
      groupCommit(() => {
        if (result.source !== undefined) names.recordSource(result.source);
        names.record([...result.made, ...result.skipped]);
        for (const path of result.givenUp ?? []) names.giveUp(path, job.source);
        dropClaim.run(job.id);
        const isAsBefore = result.state === 'unchanged' && result.source !== undefined;
        if (isAsBefore && restore.run(Date.now(), job.id, result.source.digest).changes === 1) return;
        // Outputs that are left to another source are counted with that source.
        const own = result.skipped.length > 0 ? [] : result.outputs;
        const bytesOut = own.reduce((sum, output) => sum + output.bytes, 0);
        const isDone = result.state !== 'failed' && result.state !== 'cancelled';
        const unchanged = result.state === 'unchanged' ? 1 : 0;
        const degraded = unchanged === 1 && result.source?.degraded ? [job.source] : [];
        addUp(batch, { unchanged, bytesIn: isDone ? (result.bytes ?? 0) : 0, bytesOut, degraded });
        if (result.state === 'unchanged') dropJob.run(job.id);
        else settle.run({ id: job.id, now: Date.now(), ...settledRow(result) });
      }),
    giveBack: (job, state, notBefore = 0) =>
      write(() => {
        dropClaim.run(job.id);
        giveBack.run(state, notBefore, state === 'pending' ? 1 : 0, job.id);
      }),
    cancelWaiting: ({ batch }, limit) => write(() => cancel.run(Date.now(), batch, limit).changes),
  };
}

function pendingRow({ source, given, relative }: NewJob, batch: string, naming: number) {
  const job = { batch, source, given, relative, naming, state: 'pending', attempts: 0 };
  return { ...job, code: null, message: null, fix: null, now: null };
}

/**
 * Reserves the first list in which each name is free, belongs to this source, or to a source that is gone. Returns its
 * position, or the number of lists when there is none.
 */
function reserveNames({ source, candidates, kept, gone = [] }: NewJob, names: NameRecords): number {
  const isFree = (path: string): boolean => {
    const owner = names.ownerOf(path);
    return owner === undefined || owner === source || gone.includes(owner);
  };
  const order = [...(kept === undefined ? [] : [kept]), ...candidates.keys()];
  const naming = order.find((i) => candidates[i]?.every(isFree)) ?? candidates.length;
  for (const path of candidates[naming] ?? []) names.reserve(path, source);
  return naming;
}

function settledRow({ state, source, bytes, duplicateOf, reused, outputs, error, ms }: Settlement) {
  return {
    state,
    bytes: bytes ?? source?.size ?? null,
    digest: source?.digest ?? null,
    width: source?.width ?? null,
    height: source?.height ?? null,
    format: source?.format ?? null,
    pages: source?.pages ?? null,
    dominantColor: source?.dominantColor ?? null,
    duplicateOf: duplicateOf ?? null,
    reused: reused ? 1 : 0,
    degraded: source?.degraded ? 1 : 0,
    outputs: JSON.stringify(outputs),
    ms: ms === undefined ? null : JSON.stringify(ms),
    code: error?.code ?? null,
    message: error?.message ?? null,
    fix: error?.fix ?? null,
  };
}
