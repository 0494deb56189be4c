import { resolve } from 'node:path';
import { totalOf } from '../model/totals.ts';
import type { Batch, BatchFinished, Event, JobRecord, Output, ProfileEvent } from '../model.ts';
import { JOB_STATES, type Report, type Timings } from '../model.ts';
import { iso } from './format.ts';

interface JsonReportOptions {
  readonly stream: NodeJS.WritableStream;
  /** Also prints events of files that were passed over or are still being written. */
  readonly verbose?: boolean;
  /** The exit code that a batch leads to. */
  readonly exitOf: (finished: BatchFinished) => number;
}

/** The report for programs: one JSON object per line, as `help/json.md` defines it. Fields are only ever added. */
export function createJsonReport({ stream, verbose = false, exitOf }: JsonReportOptions): Report {
  return {
    event(event) {
      if (event.type === 'walk' || event.type === 'job.started' || event.type === 'job.progress') return;
      if (event.type === 'job.waiting') return;
      if (!verbose && (event.type === 'passed_over' || event.type === 'still_written')) return;
      const printed = event.type === 'batch.finished' ? { ...event, exit: exitOf(event) } : event;
      const values: Readonly<Record<string, unknown>> = { ...valuesOf(printed) };
      const fields = inOrder(values, FIELDS[printed.type]);
      stream.write(`${oneLine({ v: 1, type: event.type, ...fields })}\n`);
    },
    close: () => {},
  };
}

/**
 * JSON in one line. Characters that some readers take for the end of a line, or terminals for a command, are escaped:
 * C1 and bidirectional controls and the line separators.
 */
export function oneLine(value: object | string): string {
  return JSON.stringify(value).replace(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** These fields alone, in this order, without undefined ones. */
function inOrder<T extends object>(values: T, fields: readonly (keyof T)[]): object {
  const ordered: Partial<T> = {};
  for (const field of fields) if (values[field] !== undefined) ordered[field] = values[field];
  return ordered;
}

function outputsInOrder(outputs: readonly Output[]): object[] {
  return outputs.map((output) =>
    inOrder(output, ['variant', 'format', 'path', 'width', 'height', 'bytes', 'pages', 'action', 'edited']),
  );
}

/** Whole milliseconds. */
function timingsInOrder(ms: Timings): object {
  const parts = ['digest', 'decode', 'encode', 'commit', 'total'] as const;
  return Object.fromEntries(parts.map((part) => [part, Math.round(ms[part])]));
}

/** Events for displays that change in place, and for the library. */
type SilentEvent = Extract<Event, { type: 'walk' | 'job.started' | 'job.progress' | 'job.waiting' }>;
type PrintedEvent = Exclude<Event, SilentEvent | BatchFinished> | (BatchFinished & { readonly exit: number });

/** The fields that a job has in events and in `status`. */
const SOURCE = [
  'source',
  'state',
  'duplicateOf',
  'error',
  'digest',
  'bytes',
  'width',
  'height',
  'format',
  'pages',
  'firstOnly',
] as const;
const RESULT = ['dominantColor', 'outputs', 'ms', 'attempts', 'reused', 'degraded'] as const;

/** The fields after `v` and `type`, in this order. */
const FIELDS: { readonly [E in PrintedEvent as E['type']]: readonly (keyof E)[] } = {
  'batch.started': ['batch', 'total', 'bytes', 'out', 'preset', 'jobs', 'resumed', 'dryRun', 'newIndex'],
  total: ['batch', 'total', 'bytes'],
  job: ['batch', 'job', ...SOURCE, 'renderedPages', ...RESULT, 'tagged', 'would', 'wouldWrite', 'wouldKeep'],
  'job.retrying': ['batch', 'job', 'source', 'attempts', 'delay', 'error'],
  passed_over: ['batch', 'path', 'reason', 'kind'],
  warning: ['batch', 'code', 'message', 'fix'],
  watching: ['batch', 'folders', 'by'],
  scanned: ['batch', 'sources', 'changed', 'ms'],
  still_written: ['batch', 'source'],
  withdrawn: ['batch', 'job', 'source'],
  removed: ['batch', 'source', 'paths', 'dryRun'],
  profile: ['batch', 'jobs', 'ms', 'parent', 'children', 'pictures'],
  stopping: ['batch', 'finishing', 'dropping'],
  'batch.finished': [
    ...(['batch', 'state', 'counts', 'passedOver', 'passedOverBy', 'passedOverKinds'] as const),
    ...(['degraded', 'bytesIn', 'bytesOut', 'ms', 'exit', 'dryRun'] as const),
  ],
};

function valuesOf(event: PrintedEvent): object {
  switch (event.type) {
    case 'job': {
      const outputs = event.outputs && outputsInOrder(event.outputs);
      return { ...event, outputs, ms: event.ms && timingsInOrder(event.ms) };
    }
    case 'scanned':
      return { ...event, ms: Math.round(event.ms) };
    case 'batch.finished':
      return { ...event, counts: inOrder(event.counts, JOB_STATES), ms: Math.round(event.ms) };
    case 'profile':
      return rounded(event);
    default:
      return event;
  }
}

/** Rounds to tenths of a millisecond. */
function rounded(profile: ProfileEvent): ProfileEvent {
  const text = JSON.stringify(profile, (_, value: unknown) =>
    typeof value === 'number' ? Math.round(value * 10) / 10 : value,
  );
  return JSON.parse(text) as ProfileEvent;
}

interface EndingError extends Readonly<Record<'code' | 'message', string>> {
  readonly cause: string | undefined;
  readonly fix: string | undefined;
}

/** What `--json` prints for an error that ends a command. */
export function errorJson(error: EndingError, exit: number): object {
  return { v: 1, type: 'error', error: inOrder(error, ['code', 'message', 'cause', 'fix']), exit };
}

/** What `status --json` prints: one document to which fields are only ever added. Paths are absolute, times ISO 8601 in UTC. */
export function statusJson(
  batch: Batch,
  jobs: readonly JobRecord[],
  degradedSources?: readonly string[],
): object {
  return { v: 1, batch: batchFields(batch), jobs: jobs.map(jobFields), degradedSources };
}

/** What `list --json` prints, by the same rules. */
export function listJson(batches: readonly Batch[]): object {
  return { v: 1, batches: batches.map(batchFields) };
}

function batchFields(batch: Batch): object {
  const { id, command, state, counts, passedOver, degraded, bytesIn, bytesOut, out, cwd, preset, jobs } =
    batch;
  return {
    ...{ id, command, state, total: totalOf(counts), counts: inOrder(counts, JOB_STATES) },
    ...{ passedOver, ...batch.aside, degraded, bytesIn, bytesOut },
    inputs: batch.inputs.map((input) =>
      input === '-' || command === 'upload' ? input : resolve(cwd, input),
    ),
    ...{ out, cwd, preset, jobs, startedAt: iso(batch.startedAt), finishedAt: isoOf(batch) },
    walkEnded: batch.walkEnded,
  };
}

/** The fields that are known. */
function jobFields(job: JobRecord): object {
  const ms = job.ms && timingsInOrder(job.ms);
  const pages = job.pages === 1 ? null : job.pages;
  const firstOnly = pages !== null && job.outputs.some((output) => output.pages === undefined);
  const outputs = outputsInOrder(job.outputs);
  const values = { ...job, pages, firstOnly, outputs, ms, finishedAt: isoOf(job) };
  const fields = Object.entries(inOrder(values, [...SOURCE, 'part', ...RESULT, 'finishedAt']));
  return Object.fromEntries(fields.filter(([, value]) => value !== null && value !== false));
}

function isoOf({ finishedAt }: Batch | JobRecord): string | null {
  return finishedAt === null ? null : iso(finishedAt);
}
