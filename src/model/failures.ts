import { hasTrait } from '../errors.ts';
import type { Event, JobEvent, Warning } from './events.ts';
import type { Failure } from './jobs.ts';

/** Causes that are kept, and sources that are kept for each of them. */
const MOST_CAUSES = 20;
const MOST_SOURCES = 4;

/** Failed jobs with the same cause. */
export interface FailureGroup {
  /** The error of all of them, without their names. Where their messages differ, the message has `...`. */
  error: Failure;
  count: number;
  /** The first sources. */
  readonly sources: string[];
}

/** Figures, paths and lists of bytes in a message: they differ between failures with the same cause. */
const PARTICULARS = /\b[\da-f]{2}(?: [\da-f]{2})+\b|[^\s()]*[\d/][^\s()]*/g;

/** Failed jobs by their cause. Its memory does not grow with their number. */
export class FailureGroups {
  readonly #groups = new Map<string, FailureGroup>();

  /** The causes, the most frequent first. */
  get all(): FailureGroup[] {
    const first = ({ sources: [source = ''] }: FailureGroup) => source;
    return [...this.#groups.values()].sort((a, b) => b.count - a.count || (first(a) < first(b) ? -1 : 1));
  }

  /** Adds a failed job. */
  add({ source, error = UNKNOWN }: JobEvent): void {
    const own = withoutName(source, error);
    const { key, message } = general(own);
    const group = this.#groups.get(key);
    if (group === undefined) {
      if (this.#groups.size < MOST_CAUSES) this.#groups.set(key, { error: own, count: 1, sources: [source] });
      return;
    }
    group.count++;
    if (group.sources.length < MOST_SOURCES) group.sources.push(source);
    if (own.message !== group.error.message) group.error = { ...own, message };
  }

  /** Number of failed jobs with the same cause so far; 1 for a cause that is not kept. */
  countLike({ source, error = UNKNOWN }: JobEvent): number {
    return this.#groups.get(general(withoutName(source, error)).key)?.count ?? 1;
  }
}

const UNKNOWN: Failure = { code: 'internal', message: 'failed for an unknown reason' };

/** The error without the name of its source in front. Reports print the name beside it. */
export function withoutName(source: string, error: Failure): Failure {
  const { message } = error;
  return message.startsWith(`${source}: `) ? { ...error, message: message.slice(source.length + 2) } : error;
}

/** What failures with the same cause have in common. */
function general({ code, message, fix }: Failure) {
  const common = message.replace(PARTICULARS, '...').replace(/\.{3}(?: \.{3})+/g, '...');
  return { key: [code, common, fix].join('\n'), message: common };
}

/** Whether a retry alone cannot help. */
export function isLasting({ code }: Pick<Failure, 'code'>): boolean {
  return hasTrait(code, 'lasting');
}

/** Advice of the command line that a service cannot follow. */
const NOT_FOR_UPLOADS = /\{\{(exclude|name|out|force)\b|extension/;

/**
 * A hint about an uploaded image. Its client knows no command line, and has no settings: those are for the operator. The
 * settings are still to be worded.
 */
export function hintForUploads(hint: string): string {
  const given = hint.replace(/run the same command again|copy the file again/, 'upload it again');
  const ways = given.split(/; |, or /);
  const possible = ways.filter((way) => !NOT_FOR_UPLOADS.test(way));
  const own = possible.filter((way) => !way.includes('{{'));
  if (own.length === ways.length) return given;
  const others = possible.filter((way) => way.includes('{{'));
  const operator = others.length === 0 ? [] : [`for the operator of the service: ${others.join(', or ')}`];
  return [...(own.length > 0 ? [own.join(', or ')] : []), ...operator].join('; ') || 'upload another file';
}

/** Words a hint: the command line writes a setting such as `{{limitPixels 12M}}` as `--limit-pixels 12M`. */
export type WordHint = (hint: string) => string;

/** The event with its hints in words. */
export function wordEvent(event: Event, word: WordHint): Event {
  if (event.type === 'warning') return wordFailure(event, word);
  if ((event.type !== 'job' && event.type !== 'job.retrying') || event.error === undefined) return event;
  return { ...event, error: wordFailure(event.error, word) };
}

/** The failure or warning with its hint in words. */
export function wordFailure<Reported extends Failure | Warning>(failure: Reported, word: WordHint): Reported {
  return failure.fix === undefined ? failure : { ...failure, fix: word(failure.fix) };
}
