import { bytesOf, leftOf } from '../model/totals.ts';
import type { BatchFinished, Event, JobEvent, Report } from '../model.ts';
import { age, compact, iso, pause } from './format.ts';
import { oneLine } from './json.ts';
import { profileLines } from './profile.ts';
import { printable } from './text.ts';
import { countsInPlain, isPassedOverShown, reasonOf, watchEnd } from './wording.ts';

interface WatchPlainReportOptions {
  readonly stream: NodeJS.WritableStream;
  readonly quiet: boolean;
  /** Each line begins with the time. A journal adds its own. */
  readonly timestamps: boolean;
  readonly verbose?: boolean;
  /** Milliseconds since 1970. */
  readonly clock?: () => number;
}

/**
 * The report of a watch for logs, pipes and journals, without colours or control codes: for each event a word, mostly a
 * source, and facts as `key=value`. With `quiet` only failures and warnings; with `verbose` also files that need nothing.
 */
export function createWatchPlainReport(options: WatchPlainReportOptions): Report {
  const { stream, quiet, timestamps, verbose = false, clock = Date.now } = options;
  let isWaiting = false;
  let stopping = false;

  function isShown(event: Event): boolean {
    const isFailure = event.type === 'job' && event.state === 'failed';
    if (quiet || isFailure || event.type === 'warning') return isFailure || event.type === 'warning';
    if (event.type === 'job') return verbose || event.state === 'completed' || event.state === 'duplicate';
    if (event.type === 'scanned' || event.type === 'withdrawn') return verbose;
    return event.type !== 'passed_over' || isPassedOverShown(event.reason, isWaiting, verbose);
  }

  return {
    event(event) {
      if (event.type === 'watching') isWaiting = true;
      if (event.type === 'stopping') stopping = true;
      const text = isShown(event) ? plainText(event, stopping) : null;
      if (text === null) return;
      const time = timestamps ? `${iso(clock()).replace(/\.\d+Z$/, 'Z')} ` : '';
      for (const line of text.split('\n')) stream.write(`${time}${line}\n`);
    },
    close() {
      // Plain lines leave nothing to restore.
    },
  };
}

function plainText(event: Event, stopping: boolean): string | null {
  switch (event.type) {
    case 'warning':
      return facts('warning', {}, { message: event.message, fix: event.fix });
    case 'job':
      return jobText(event);
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
    case 'batch.finished':
      return closingText(event, stopping);
    default:
      return null;
  }
}

function jobText(event: JobEvent): string {
  const { source, state, outputs = [], bytes, ms, duplicateOf, error, reused, degraded } = event;
  const head = `${state} ${quoted(source)}`;
  if (state === 'failed') {
    return facts(head, { error: error?.code }, { message: reasonOf(source, error), fix: error?.fix });
  }
  if (state === 'duplicate') return facts(head, { of: duplicateOf });
  if (state !== 'completed') return head;
  return facts(head, {
    outputs: outputs.length,
    in: bytes === undefined ? undefined : compact(bytes),
    out: compact(bytesOf(outputs)),
    ms: ms === undefined ? undefined : Math.round(ms.total),
    reused,
    degraded,
  });
}

function closingText(finished: BatchFinished, stopping: boolean): string {
  const { counts, ms, bytesIn, bytesOut } = finished;
  const pending = leftOf(counts) || undefined;
  const head = `${watchEnd(finished, stopping)} after=${age(ms).replaceAll(' ', '')} ${countsInPlain(counts)}`;
  return facts(head, { pending, in: compact(bytesIn), out: compact(bytesOut) });
}

type Facts = Readonly<Record<string, string | number | boolean | undefined>>;

/** `key=value` for each known value. Sentences are always quoted, so that a search for one finds all of them. */
function facts(head: string, known: Facts, sentences: Facts = {}): string {
  const listed = (all: Facts, written: (text: string) => string) =>
    Object.entries(all).flatMap(([key, value]) =>
      value === undefined ? [] : [`${key}=${written(String(value))}`],
    );
  return [head, ...listed(known, quoted), ...listed(sentences, asJson)].join(' ');
}

/** A plain word as it is, any other text as a JSON string. */
function quoted(text: string): string {
  return text === '' || /[\s"=]/.test(text) || printable(text) !== text ? asJson(text) : text;
}

function asJson(text: string): string {
  return printable(oneLine(text));
}
