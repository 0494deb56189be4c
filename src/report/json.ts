import {
  type BatchFinished,
  type Counts,
  type Event,
  JOB_STATES,
  type JobEvent,
  type Output,
  type ProfileEvent,
  type Report,
  type Timings,
} from '../model.ts';

interface JsonReportOptions {
  readonly stream: NodeJS.WritableStream;
  /** Also tells what was passed over, and what is still being written, file by file. */
  readonly verbose?: boolean;
  /** The exit code that a batch leads to. */
  readonly exitOf: (finished: BatchFinished) => number;
}

/** One JSON object a line for programs, as the contract in help/json.md says; fields are only ever added. */
export function createJsonReport({ stream, verbose = false, exitOf }: JsonReportOptions): Report {
  return {
    event(event) {
      if (event.type === 'walk' || event.type === 'job.started' || event.type === 'job.waiting') return;
      if (!verbose && (event.type === 'passed_over' || event.type === 'still_written')) return;
      const fields = event.type === 'batch.finished' ? finishedFields(event, exitOf(event)) : fieldsOf(event);
      stream.write(`${oneLine({ v: 1, type: event.type, ...fields })}\n`);
    },
    close() {
      // A stream of lines has nothing to put back.
    },
  };
}

/**
 * JSON without a character that some reader takes for the end of a line or a terminal for an order (C1 controls, the
 * line separators, bidirectional controls); escaped they are the same strings.
 */
export function oneLine(value: object | string): string {
  return JSON.stringify(value).replace(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** All eight states, in the order of the glossary. */
export function countsInOrder(counts: Counts): Record<string, number> {
  return Object.fromEntries(JOB_STATES.map((state) => [state, counts[state]]));
}

export function outputsInOrder(outputs: readonly Output[]): object[] {
  return outputs.map(({ variant, format, path, width, height, bytes }) => {
    return { variant, format, path, width, height, bytes };
  });
}

/** Whole milliseconds. */
export function timingsInOrder(ms: Timings): object {
  return {
    digest: Math.round(ms.digest),
    decode: Math.round(ms.decode),
    encode: Math.round(ms.encode),
    commit: Math.round(ms.commit),
    total: Math.round(ms.total),
  };
}

/** The fields after `v` and `type`, in the order of the contract; JSON leaves out those that are undefined. */
function fieldsOf(
  event: Exclude<Event, { type: 'walk' | 'job.started' | 'job.waiting' | 'batch.finished' }>,
): object {
  switch (event.type) {
    case 'batch.started': {
      const { batch, total, bytes, out, preset, jobs, resumed, dryRun } = event;
      return { batch, total, bytes, out, preset, jobs, resumed, dryRun };
    }
    case 'total':
      return { batch: event.batch, total: event.total, bytes: event.bytes };
    case 'job':
      return jobFields(event);
    case 'job.retrying': {
      const { batch, source, attempts, delay, error } = event;
      return { batch, source, attempts, delay, error };
    }
    case 'passed_over':
      return { path: event.path, reason: event.reason };
    case 'warning':
      return { code: event.code, message: event.message, fix: event.fix };
    case 'watching':
      return { batch: event.batch, folders: event.folders, by: event.by };
    case 'scanned': {
      const { batch, sources, changed, ms } = event;
      return { batch, sources, changed, ms: Math.round(ms) };
    }
    case 'still_written':
    case 'withdrawn':
      return { batch: event.batch, source: event.source };
    case 'removed':
      return { batch: event.batch, source: event.source, paths: event.paths };
    case 'profile': {
      const { batch, jobs, ms, parent, children, pictures } = rounded(event);
      return { batch, jobs, ms, parent, children, pictures };
    }
    case 'stopping':
      return { batch: event.batch, finishing: event.finishing, dropping: event.dropping };
  }
}

function finishedFields(event: BatchFinished, exit: number): object {
  const { batch, state, passedOver, bytesIn, bytesOut, dryRun } = event;
  const counts = countsInOrder(event.counts);
  return { batch, state, counts, passedOver, bytesIn, bytesOut, ms: Math.round(event.ms), exit, dryRun };
}

/** Tenths of a millisecond are told. */
function rounded(profile: ProfileEvent): ProfileEvent {
  const text = JSON.stringify(profile, (_, value: unknown) =>
    typeof value === 'number' ? Math.round(value * 10) / 10 : value,
  );
  return JSON.parse(text) as ProfileEvent;
}

function jobFields(event: JobEvent): object {
  const { batch, source, state, duplicateOf, error, digest, bytes, width, height, dominantColor } = event;
  return {
    ...{ batch, source, state, duplicateOf, error, digest, bytes, width, height, dominantColor },
    outputs: event.outputs && outputsInOrder(event.outputs),
    ms: event.ms && timingsInOrder(event.ms),
    ...{ attempts: event.attempts, reused: event.reused, degraded: event.degraded },
    ...{ would: event.would, wouldWrite: event.wouldWrite },
  };
}
