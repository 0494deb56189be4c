import { BatchTotals, bytesOf, leftOf } from '../model/totals.ts';
import type { BatchFinished, Event, JobEvent, Report } from '../model.ts';
import { age, compact, iso, pause } from './format.ts';
import { oneLine } from './json.ts';
import type { PlainReportOptions } from './plain.ts';
import { profileLines } from './profile.ts';
import { printable } from './text.ts';
import { countsInPlain, isPassedOverShown, kindTexts, reasonOf, watchEnd } from './wording.ts';

/** `timestamps`: each line begins with the time. A journal adds its own. */
type WatchPlainReportOptions = Omit<PlainReportOptions, 'every'> & { readonly timestamps: boolean };

/**
 * The report of a watch for logs, pipes and journals, without colours or control codes: for each event a word, mostly a
 * source, and facts as `key=value`. With `quiet` only failures and warnings; with `verbose` also files that need nothing.
 */
export function createWatchPlainReport(options: WatchPlainReportOptions): Report {
  const { stream, quiet, timestamps, verbose } = options;
  const totals = new BatchTotals();

  function isShown(event: Event): boolean {
    const isFailure = event.type === 'job' && event.state === 'failed';
    if (quiet || isFailure || event.type === 'warning') return isFailure || event.type === 'warning';
    if (event.type === 'job') return verbose || event.state === 'completed' || event.state === 'duplicate';
    if (event.type === 'scanned' || event.type === 'withdrawn') return verbose;
    return event.type !== 'passed_over' || isPassedOverShown(event.reason, totals.watching !== null, verbose);
  }

  return {
    event(event) {
      totals.add(event, performance.now());
      const text = isShown(event) ? plainText(event, totals) : null;
      if (text === null) return;
      const time = timestamps ? `${iso(Date.now()).replace(/\.\d+Z$/, 'Z')} ` : '';
      for (const line of text.split('\n')) stream.write(`${time}${line}\n`);
    },
    close: () => {},
  };
}

type Events = { readonly [E in Event as E['type']]: E };
type Texts = { readonly [T in keyof Events]: (event: Events[T], totals: BatchTotals) => string | null };

/** The line of each event, without the time; null for events that a watch does not print. */
const PLAIN_TEXTS: Texts = {
  walk: () => null,
  total: () => null,
  'job.started': () => null,
  'job.progress': () => null,
  'job.waiting': () => null,
  warning: ({ message, fix }) => facts('warning', {}, { message, fix }),
  job: jobText,
  profile: (event) => profileLines(event).join('\n'),
  'batch.started': ({ batch, out, preset, jobs, newIndex }) =>
    facts('started', { batch, out, preset, jobs, newIndex }),
  watching: ({ folders, by }, totals) => facts('watching', { folders, by }, kindFacts(totals)),
  scanned: ({ sources, changed, ms }) => facts('scanned', { sources, changed, ms: Math.round(ms) }),
  'job.retrying': ({ source, error, attempts, delay }) => {
    const known = { error: error.code, attempts, delay: pause(delay).replaceAll(' ', '') };
    return facts(`retrying ${quoted(source)}`, known);
  },
  withdrawn: ({ source }) => `withdrawn ${quoted(source)}`,
  still_written: ({ source }) => `waiting ${quoted(source)} still being written`,
  removed: ({ source, paths }) =>
    paths.map((path) => facts(`removed ${quoted(path)}`, { source })).join('\n'),
  passed_over: ({ path, reason, kind }) => facts(`skipped ${quoted(path)}`, { reason, kind }),
  stopping: ({ finishing, dropping }) => facts('stopping', { finishing, dropping }),
  'batch.finished': closingText,
};

function plainText<T extends keyof Events>(event: Events[T] & { readonly type: T }, totals: BatchTotals) {
  return PLAIN_TEXTS[event.type](event, totals);
}

function kindFacts(totals: BatchTotals): KnownFacts {
  return { passed_over: kindTexts(totals.aside).join(', ') || undefined };
}

function jobText(event: JobEvent): string {
  const { source, state, outputs = [], bytes, ms, duplicateOf, error, pages, reused, degraded } = event;
  const head = `${state} ${quoted(source)}`;
  if (state === 'failed') {
    return facts(head, { error: error?.code }, { message: reasonOf(source, error), fix: error?.fix });
  }
  if (state === 'duplicate') return facts(head, { of: duplicateOf, degraded });
  if (state !== 'completed') return facts(head, { degraded });
  return facts(head, {
    outputs: outputs.length,
    in: bytes === undefined ? undefined : compact(bytes),
    out: compact(bytesOf(outputs)),
    ms: ms === undefined ? undefined : Math.round(ms.total),
    pages,
    reused,
    tagged: event.tagged,
    degraded,
  });
}

function closingText(finished: BatchFinished, totals: BatchTotals): string {
  const { counts, ms, bytesIn, bytesOut } = finished;
  const pending = leftOf(counts) || undefined;
  const degraded = finished.degraded || undefined;
  const head = `${watchEnd(finished, totals.stopping !== null)} after=${age(ms).replaceAll(' ', '')} ${countsInPlain(counts)}`;
  const known = { pending, degraded, in: compact(bytesIn), out: compact(bytesOut) };
  return facts(head, known, kindFacts(totals));
}

type KnownFacts = Readonly<Record<string, string | number | boolean | undefined>>;

/** `key=value` for each known value. Sentences are always quoted, so that a search for one finds all of them. */
export function facts(head: string, known: KnownFacts, sentences: KnownFacts = {}): string {
  const listed = (all: KnownFacts, written: (text: string) => string) =>
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
