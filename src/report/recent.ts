import { join, sep } from 'node:path';
import type { Event, JobState } from '../model.ts';
import { counted, pause } from './format.ts';
import { outcomeOf } from './notices.ts';
import { printable } from './printable.ts';
import { isToldOf, reasonOf } from './wording.ts';

/** One of the last things that happened in a watch. Name and words are printable. */
export interface Entry {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly what: JobState | 'still_written' | 'removed' | 'passed_over';
  readonly name: string;
  readonly words: string;
}

interface RecentOptions {
  /** As given. Names are told without the folder when there is only one. */
  readonly inputs: readonly string[];
  /** Also what was passed over or unchanged from the start. */
  readonly verbose: boolean;
}

/** The most that are kept, so that memory does not grow with the months. */
const KEPT = 8;

/** The last things that happened, oldest first. */
export function createRecent({ inputs, verbose }: RecentOptions) {
  const entries: Entry[] = [];
  const [only = '', ...others] = inputs;
  const folder = only === '' || others.length > 0 ? '' : join(only, sep);
  const short = (path: string) =>
    folder !== '' && path.startsWith(folder) ? path.slice(folder.length) : path;

  function add(entry: Entry): void {
    const { what, name, words } = entry;
    // What is said again and again (still being written) moves down instead of driving out the rest.
    const same = entries.findIndex((one) => one.what === what && one.name === name && one.words === words);
    if (same !== -1) entries.splice(same, 1);
    entries.push(entry);
    if (entries.length > KEPT) entries.shift();
  }

  return {
    entries: entries as readonly Entry[],
    /** `at`: milliseconds since 1970. `landed`: the first walk is over. */
    event(event: Event, at: number, landed: boolean): void {
      const told = toldOf(event, short);
      if (told === null || !isShown(event, landed, verbose)) return;
      const { path, what, words } = told;
      add({ at, what, name: printable(short(path)), words });
    },
  };
}

interface Told extends Pick<Entry, 'what' | 'words'> {
  readonly path: string;
}

function toldOf(event: Event, short: (path: string) => string): Told | null {
  switch (event.type) {
    case 'job': {
      const { source, state, duplicateOf } = event;
      const told = duplicateOf === undefined ? event : { ...event, duplicateOf: short(duplicateOf) };
      return { path: source, what: state, words: outcomeOf(told) };
    }
    case 'job.retrying': {
      // The reason may be cut at the end of the line; when it is tried again may not.
      const words = `again in ${pause(event.delay)}: ${reasonOf(event.source, event.error)}`;
      return { path: event.source, what: 'retrying', words };
    }
    case 'still_written':
      return { path: event.source, what: event.type, words: 'still being written, waiting' };
    case 'removed': {
      const words = `gone, ${counted(event.paths.length, 'output')} removed`;
      return { path: event.source, what: event.type, words };
    }
    case 'passed_over':
      return { path: event.path, what: event.type, words: `passed over: ${event.reason}` };
    default:
      return null;
  }
}

function isShown(event: Event, landed: boolean, verbose: boolean): boolean {
  if (event.type === 'passed_over') return isToldOf(event.reason, landed, verbose);
  // A watch that starts over a large folder finds most of it unchanged: counted, not told.
  return event.type !== 'job' || event.state !== 'unchanged' || landed || verbose;
}
