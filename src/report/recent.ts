import { join, sep } from 'node:path';
import type { BatchTotals } from '../model/totals.ts';
import { ENDED_STATES, type Event, type JobState } from '../model.ts';
import { counted } from './format.ts';
import { outcomeOf } from './notices.ts';
import { printable } from './text.ts';
import { isPassedOverShown, retryText, whyPassedOver } from './wording.ts';

/** One of the latest events of a watch, as words. Name and words are printable. */
export interface RecentEvent {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly what: JobState | 'still_written' | 'removed' | 'passed_over';
  readonly name: string;
  readonly words: string;
}

const ROWS_KEPT = 8;

/**
 * The latest events of a watch, oldest first. Of a single folder in `inputs`, names are shown without it. `verbose` also
 * shows files that were passed over or unchanged when the watch started.
 */
export function createRecent(inputs: readonly string[], verbose: boolean) {
  const entries: RecentEvent[] = [];
  const [only = '', ...others] = inputs;
  const folder = only === '' || others.length > 0 ? '' : join(only, sep);
  const short = (path: string) => (path.startsWith(folder) ? path.slice(folder.length) : path);
  const entry = (what: RecentEvent['what'], path: string, words: string) => {
    return { what, name: printable(short(path)), words };
  };

  function entryOf(event: Event): Omit<RecentEvent, 'at'> | null {
    if (event.type === 'passed_over')
      return entry(event.type, event.path, `passed over: ${whyPassedOver(event)}`);
    if (event.type === 'job.retrying') return entry('retrying', event.source, retryText(event));
    if (event.type === 'still_written')
      return entry(event.type, event.source, 'still being written, waiting');
    if (event.type === 'removed')
      return entry(event.type, event.source, `${counted(event.paths.length, 'output')} removed`);
    if (event.type !== 'job') return null;
    const { source, state, duplicateOf } = event;
    const shown = duplicateOf === undefined ? event : { ...event, duplicateOf: short(duplicateOf) };
    return entry(state, source, outcomeOf(shown));
  }

  return {
    entries: entries as readonly RecentEvent[],
    /** `at`: milliseconds since 1970. `isWaiting`: the first walk is over. */
    event(event: Event, at: number, isWaiting: boolean): void {
      const latest = isShown(event, isWaiting, verbose) ? entryOf(event) : null;
      if (latest === null) return;
      const { what, name, words } = latest;
      // A repeated event (a file that is still being written) moves down. It does not push out the others.
      const same = entries.findIndex((one) => one.what === what && one.name === name && one.words === words);
      if (same !== -1) entries.splice(same, 1);
      entries.push({ at, ...latest });
      if (entries.length > ROWS_KEPT) entries.shift();
    },
  };
}

function isShown(event: Event, isWaiting: boolean, verbose: boolean): boolean {
  if (event.type === 'passed_over') return isPassedOverShown(event.reason, isWaiting, verbose);
  // A watch that starts on a large folder finds most of it unchanged: these files are only counted.
  return event.type !== 'job' || event.state !== 'unchanged' || isWaiting || verbose;
}

/** What a watch has done since local midnight. */
export type DayTotals = Pick<BatchTotals, 'ended' | 'bytesIn' | 'bytesOut'>;

/** The difference between the totals and those at the start of the day. `now`: milliseconds since 1970. */
export function createDay(totals: BatchTotals, now: number) {
  let day = new Date(now).toDateString();
  let start = copyOf(totals);
  return {
    /** Runs before each event and each redraw. True when a new day has begun: its figures start at zero. */
    turn(at: number): boolean {
      const next = new Date(at).toDateString();
      if (next === day) return false;
      day = next;
      start = copyOf(totals);
      return true;
    },
    totals(): DayTotals {
      const { ended, bytesIn, bytesOut } = copyOf(totals);
      for (const state of ENDED_STATES) ended[state] -= start.ended[state];
      return { ended, bytesIn: bytesIn - start.bytesIn, bytesOut: bytesOut - start.bytesOut };
    },
  };
}

function copyOf({ ended, bytesIn, bytesOut }: DayTotals): DayTotals {
  return { ended: { ...ended }, bytesIn, bytesOut };
}
