import { leftOf } from '../model/totals.ts';
import type { BatchFinished, Event, JobEvent, Report } from '../model.ts';
import { age, compact, iso, pause } from './format.ts';
import { oneLine } from './json.ts';

import { profileLines } from './profile.ts';
import { printable } from './text.ts';
import { countsInPlain, isPassedOverShown, reasonOf, watchEnd } from './wording.ts';

interface WatchPlainReportOptions {
  readonly stream: NodeJS.WritableStream;
  /** Prints failures and warnings alone. */
  readonly quiet: boolean;
  /** Each line begins with the time. A journal adds its own. */
  readonly timestamps: boolean;
  /** Also prints unchanged, passed over and withdrawn files, and each walk. */
  readonly verbose?: boolean;
  /** Milliseconds since 1970. */
  readonly clock?: () => number;
}

/**
 * The report of a watch for logs, pipes and journals: one line per event, without colours or control codes. A line is a
 * word, mostly a source, and facts as `key=value`.
 */
export function createWatchPlainReport(options: WatchPlainReportOptions): Report {
  const { stream, quiet, timestamps, verbose = false, clock = Date.now } = options;
  let isWaiting = false;
  let stopping = false;

  function textOf(event: Event): string | null {
    const urgent = urgentText(event);
    if (urgent !== null || quiet) return urgent;
    if (event.type === 'job') return jobText(event, verbose);
    if ((event.type === 'scanned' || event.type === 'withdrawn') && !verbose) return null;
    if (event.type === 'passed_over' && !isPassedOverShown(event.reason, isWaiting, verbose)) return null;
    if (event.type === 'batch.finished') return closingText(event, stopping);
    return plainText(event);
  }

  return {
    event(event) {
      if (event.type === 'watching') isWaiting = true;
      if (event.type === 'stopping') stopping = true;
      const text = textOf(event);
      if (text === null) return;
      const time = timestamps ? `${iso(clock()).replace(/\.\d+Z$/, 'Z')} ` : '';
      for (const line of text.split('\n')) stream.write(`${time}${line}\n`);
    },
    close() {
      // Plain lines leave nothing to restore.
    },
  };
}

/** The text of an event that is printed even with `quiet`. */
function urgentText(event: Event): string | null {
  if (event.type === 'warning') return facts('warning', {}, { message: event.message, fix: event.fix });
  if (event.type !== 'job' || event.state !== 'failed') return null;
  const { source, error } = event;
  const sentences = { message: reasonOf(source, error), fix: error?.fix };
  return facts(`failed ${quoted(source)}`, { error: error?.code }, sentences);
}

function jobText(event: JobEvent, verbose: boolean): string | null {
  const { source, state, outputs = [], bytes, ms, duplicateOf } = event;
  if (state === 'duplicate') return facts(`duplicate ${quoted(source)}`, { of: duplicateOf });
  if (state !== 'completed') return verbose ? `${state} ${quoted(source)}` : null;
  const made = outputs.reduce((sum, output) => sum + output.bytes, 0);
  return facts(`completed ${quoted(source)}`, {
    outputs: outputs.length,
    in: bytes === undefined ? undefined : compact(bytes),
    out: compact(made),
    ms: ms === undefined ? undefined : Math.round(ms.total),
    reused: event.reused,
    degraded: event.degraded,
  });
}

function plainText(event: Event): string | null {
  switch (event.type) {
    case 'profile':
      return profileLines(event).join('\n');
    case 'batch.started': {
      const { batch, out, preset, jobs } = event;
      return facts('started', { batch, out, preset, jobs });
    }
    case 'watching':
      return facts('watching', { folders: event.folders, by: event.by });
    case 'scanned': {
      const { sources, changed, ms } = event;
      return facts('scanned', { sources, changed, ms: Math.round(ms) });
    }
    case 'job.retrying': {
      const { source, error, attempts } = event;
      const delay = pause(event.delay).replaceAll(' ', '');
      return facts(`retrying ${quoted(source)}`, { error: error.code, attempts, delay });
    }
    case 'withdrawn':
      return `withdrawn ${quoted(event.source)}`;
    case 'still_written':
      return `waiting ${quoted(event.source)} still being written`;
    case 'removed':
      return facts(`removed ${quoted(event.source)}`, { outputs: event.paths.length });
    case 'passed_over':
      return facts(`skipped ${quoted(event.path)}`, { reason: event.reason });
    case 'stopping':
      return facts('stopping', { finishing: event.finishing, dropping: event.dropping });
    default:
      return null;
  }
}

function closingText(finished: BatchFinished, stopping: boolean): string {
  const { counts, ms, bytesIn, bytesOut } = finished;
  const left = leftOf(counts);
  const head = `${watchEnd(finished, stopping)} after=${age(ms).replaceAll(' ', '')} ${countsInPlain(counts)}`;
  return facts(head, {
    pending: left > 0 ? left : undefined,
    in: compact(bytesIn),
    out: compact(bytesOut),
  });
}

/** `key=value` for each known value. Sentences are always quoted, so that a search for one finds all of them. */
function facts(
  head: string,
  known: Readonly<Record<string, string | number | boolean | undefined>>,
  sentences: Readonly<Record<string, string | undefined>> = {},
): string {
  return [
    head,
    ...Object.entries(known).map(([key, value]) => value !== undefined && `${key}=${quoted(String(value))}`),
    ...Object.entries(sentences).map(([key, value]) => value !== undefined && `${key}=${asJson(value)}`),
  ]
    .filter((part) => part !== false)
    .join(' ');
}

/** A plain word as it is, any other text as a JSON string. */
function quoted(text: string): string {
  return text === '' || /[\s"=]/.test(text) || printable(text) !== text ? asJson(text) : text;
}

function asJson(text: string): string {
  return printable(oneLine(text));
}
