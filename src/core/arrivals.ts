import type { Event, FileFacts, PassedOver } from '../model.ts';
import type { Found, Skipped } from '../ports.ts';
import { jobFor, sortOut, tallyOf, type Walked } from './intake.ts';
import type { Bench } from './job.ts';
import { openKnown } from './known.ts';
import type { Settling } from './settling.ts';

/** What a watch makes of the files that it meets. */
export interface Arrivals {
  readonly walked: Walked;
  /** Whether nothing is to be done about a file that is as it is: it was dealt with, or is waited for. */
  isKnown(path: string, facts: FileFacts): boolean;
  has(path: string): boolean;
  /** What a walk met that is not known: told at once where nothing is to be done, else waited for until it rests. */
  meet(found: readonly Found[]): Promise<void>;
  /** Makes jobs of files that rest. */
  take(rested: readonly Found[]): Promise<void>;
  /** Takes note of a file that is to be left as it is. */
  leave(found: Found): void;
  passOver(skipped: Skipped): void;
  /** Nothing is at these paths any more. */
  forget(paths: readonly string[]): void;
  /** Sources known below a folder. */
  below(folder: string): string[];
  /** Starts a walk through everything, and the sources known that it did not meet. */
  nextRound(): void;
  notMet(): string[];
}

/** What is told of a file that lands; the rest is as it should be, and too common to be worth a word. */
const STRANGE: ReadonlySet<PassedOver> = new Set(['not_regular', 'name_not_utf8', 'unreadable', 'symlink']);

export function openArrivals(
  bench: Bench,
  settling: Settling,
  emit: (event: Event) => void,
  chunkDone: (walked: Walked, ended: boolean) => void,
): Arrivals {
  const { index, run } = bench;
  const walked: Walked = { total: 0, bytes: 0, passedOver: 0, ended: false };
  const known = openKnown();
  const strange = new Set<string>();

  const note = ({ source, facts }: Found): void => {
    if (facts !== null) known.note(source, facts);
  };

  const sort = async (found: readonly Found[]): Promise<readonly Found[]> => {
    const { changed, unchanged, outputs } = await sortOut(bench, found);
    // Only what was never met before counts: a file that went and came back is no second one.
    const events = unchanged.filter((one) => !known.has(one.found.source)).map(({ event }) => event);
    for (const one of outputs) if (!known.has(one.source)) passOver(one.given, 'output');
    for (const one of [...outputs, ...unchanged.map((each) => each.found)]) note(one);
    if (events.length === 0) return changed;
    const tally = tallyOf(events);
    await index.add(run, [], tally);
    walked.total += events.length;
    walked.bytes += tally.bytesIn;
    chunkDone(walked, false);
    for (const event of events) emit(event);
    return changed;
  };

  const passOver = (path: string, reason: PassedOver): void => {
    // After the first walk only what may need a person's eye; each once.
    if (walked.ended && !STRANGE.has(reason)) return;
    if (STRANGE.has(reason)) {
      if (strange.has(path)) return;
      strange.add(path);
    }
    walked.passedOver++;
    emit({ type: 'passed_over', path, reason });
  };

  return {
    walked,
    isKnown: (path, facts) => known.meet(path, facts) || settling.has(path, facts),
    has: known.has,
    async meet(found) {
      for (const one of await sort(found)) settling.offer(one);
    },
    async take(rested) {
      const changed = await sort(rested);
      if (changed.length === 0) return;
      const { begun, inWork } = await index.renew(
        run,
        changed.map((one) => jobFor(bench, one)),
      );
      const busy = new Set(inWork);
      for (const one of changed) {
        // Whether what is in work is still what it was, is told when it ends.
        if (busy.has(one.source)) settling.offer(one);
        else {
          note(one);
          walked.bytes += one.facts?.size ?? 0;
        }
      }
      walked.total += begun;
      chunkDone(walked, false);
    },
    leave: note,
    passOver: ({ given, reason }) => passOver(given, reason),
    forget(paths) {
      for (const path of paths) {
        settling.drop(path);
        known.drop(path);
      }
    },
    below: known.below,
    nextRound: known.nextRound,
    notMet: known.notMet,
  };
}
