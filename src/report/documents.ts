import { resolve } from 'node:path';
import type { Batch, JobRecord } from '../model.ts';
import { iso } from './format.ts';
import { countsInOrder, outputsInOrder, timingsInOrder } from './json.ts';
import { totalOf } from './totals.ts';

/** What `status --json` prints: one document, additive only. Paths are absolute, times ISO 8601 in UTC. */
export function statusJson(batch: Batch, jobs: readonly JobRecord[]): object {
  return { v: 1, batch: batchFields(batch), jobs: jobs.map(jobFields) };
}

/** What `list --json` prints: one document, additive only. */
export function listJson(batches: readonly Batch[]): object {
  return { v: 1, batches: batches.map(batchFields) };
}

function batchFields(batch: Batch): object {
  const { id, command, state, inputs, cwd, out, preset, jobs, counts, passedOver, bytesIn, bytesOut } = batch;
  return {
    ...{ id, command, state },
    total: totalOf(counts),
    counts: countsInOrder(counts),
    ...{ passedOver, bytesIn, bytesOut },
    inputs: inputs.map((input) => (input === '-' ? input : resolve(cwd, input))),
    ...{ out, cwd, preset, jobs },
    startedAt: iso(batch.startedAt),
    finishedAt: batch.finishedAt === null ? null : iso(batch.finishedAt),
    walkEnded: batch.walkEnded,
  };
}

/** The fields of a `job` event; those it does not have are left out. */
function jobFields(job: JobRecord): object {
  return {
    source: job.source,
    state: job.state,
    duplicateOf: job.duplicateOf ?? undefined,
    error: job.error ?? undefined,
    digest: job.digest ?? undefined,
    bytes: job.bytes ?? undefined,
    width: job.width ?? undefined,
    height: job.height ?? undefined,
    dominantColor: job.dominantColor ?? undefined,
    outputs: outputsInOrder(job.outputs),
    ms: job.ms === null ? undefined : timingsInOrder(job.ms),
    attempts: job.attempts,
    reused: job.reused || undefined,
    degraded: job.degraded || undefined,
    finishedAt: job.finishedAt === null ? undefined : iso(job.finishedAt),
  };
}
