import { dirname } from 'node:path';
import type { Event, JobEvent, PassedOver, SourceFacts } from '../../model.ts';
import type { FoundSource, Skipped } from '../../ports.ts';
import { jobFor, tallyOf, type Walked } from '../batch/intake.ts';
import { askNames } from '../batch/reserve.ts';
import { sortOut, tellApart } from '../batch/sort.ts';
import type { JobContext } from '../job/context.ts';
import { sameSource } from '../job/decide.ts';
import { openKnown, type Stage } from './known.ts';
import type { Settling } from './settling.ts';

/** What a watch makes of the files that it meets, and what it knows of them. */
export interface Arrivals {
  readonly walked: Walked;
  /** Whether nothing is to be done about a file that is as it is: it was dealt with, or is waited for. */
  isKnown(path: string, facts: SourceFacts): boolean;
  /** The same of a file of which a change was told: who may read it is not seen in how it is. */
  isKnownGood(path: string, facts: SourceFacts): boolean;
  has(path: string): boolean;
  /** Sources known below a folder. */
  below(folder: string): string[];
  /** Files it knows or waits for whose path leads through one of these links. */
  behind(links: ReadonlySet<string>): string[];
  /** Starts a walk through everything, and the sources known that it did not meet. */
  nextRound(): void;
  notMet(): string[];
  /** Tells of files with which nothing is to be done; the others of them. */
  sort(found: readonly FoundSource[]): Promise<readonly FoundSource[]>;
  /** Makes jobs of files that rest. */
  take(rested: readonly FoundSource[]): Promise<void>;
  /** Takes note of a file that is to be left as it is. */
  leave(found: FoundSource): void;
  passOver(skipped: Skipped): void;
  /** Sources that are to have names of this one once it is gone; they do not wait any more. */
  waitingFor(owner: string): string[];
  /** What became of the job of a source. */
  ended(source: string, stage: Stage): void;
  /** Nothing is at these paths any more. */
  forget(paths: readonly string[]): Promise<void>;
  /** Nothing that is known is at these paths: their jobs that wait leave the batch. */
  letGo(paths: readonly string[]): Promise<void>;
}

/** What is told of a file that lands; the rest is as it should be, and too common to be worth a word. */
const STRANGE: ReadonlySet<PassedOver> = new Set(['not_regular', 'name_not_utf8', 'unreadable', 'symlink']);

export function openArrivals(
  context: JobContext,
  settling: Settling,
  emit: (event: Event) => void,
  chunkDone: (walked: Walked, ended: boolean) => void,
): Arrivals {
  const { index, run, sources } = context;
  const walked: Walked = { total: 0, bytes: 0, passedOver: 0, ended: false };
  const known = openKnown();
  const reportedReasons = new Map<string, PassedOver>();
  /** Owners of names, and the sources that would have these names without them. */
  const waiting = new Map<string, Set<string>>();

  const wait = (source: string, heldBy: readonly string[]): void => {
    for (const owner of context.mirror ? heldBy : []) {
      waiting.set(owner, (waiting.get(owner) ?? new Set()).add(source));
    }
  };

  const note = ({ source, facts }: FoundSource, stage: Stage = 'taken'): void => {
    if (facts !== null) known.note(source, facts, stage);
  };

  const passOver = (path: string, reason: PassedOver): void => {
    // After the first walk only what may need a person's eye; each once for each reason.
    if (walked.ended && !STRANGE.has(reason)) return;
    if (STRANGE.has(reason)) {
      if (reportedReasons.get(path) === reason) return;
      reportedReasons.set(path, reason);
    }
    walked.passedOver++;
    emit({ type: 'passed_over', path, reason });
  };

  const count = async (events: readonly JobEvent[]): Promise<void> => {
    const tally = tallyOf(events);
    await index.add(run, [], tally);
    walked.total += events.length;
    walked.bytes += tally.bytesIn;
    chunkDone(walked, false);
    for (const event of events) emit(event);
  };

  const letGo = async (paths: readonly string[]): Promise<void> => {
    const gone = paths
      .filter(known.has)
      .map((source) => ({ source, isCounted: known.stageOf(source) === 'counted' }));
    for (const path of paths) {
      settling.drop(path);
      known.drop(path);
    }
    const dropped = gone.length === 0 ? [] : await index.withdrawGone(run, gone);
    for (const path of dropped) emit({ type: 'withdrawn', batch: run.batch, source: sources.givenOf(path) });
  };

  return {
    walked,
    isKnown: (path, facts) => known.meet(path, facts) || settling.has(path, facts),
    isKnownGood: (path, facts) =>
      (known.meet(path, facts) && known.stageOf(path) !== 'failed') || settling.has(path, facts),
    has: (path) => known.has(path) || settling.has(path),
    below: known.below,
    behind(links) {
      const settled = settling.all().map(({ source }) => source);
      return [...known.all(), ...settled].filter((path) => leadsThrough(path, links));
    },
    nextRound: known.nextRound,
    notMet: known.notMet,
    async sort(found) {
      // Only the first walk counts what is in order without a job: of what comes later the batch may have one.
      if (walked.ended) return found;
      const { changed, unchanged, outputs } = await sortOut(context, found);
      for (const one of outputs) {
        passOver(one.found.given, 'output');
        // A name that is only held may prove to be a source's: the next walk sees.
        if (one.isMade) note(one.found, 'output');
      }
      await count(unchanged.map(({ event }) => event));
      for (const { found, heldBy } of unchanged) {
        note(found, 'counted');
        wait(found.source, heldBy);
      }
      return changed;
    },
    async take(rested) {
      for (const { given } of rested) reportedReasons.delete(given);
      const lookup = await index.lookup(
        rested.map(({ source }) => source),
        rested.map(({ source }) => source),
      );
      const { outputs, sources: found } = await tellApart(context, rested, lookup);
      for (const one of outputs) if (one.isMade) note(one.found, 'output');
      // It changed after it was taken and before it was read: its job has seen it as it is now.
      const isDone = ({ source, facts }: FoundSource) => {
        const [record, stage = 'taken'] = [lookup.source(source), known.stageOf(source)];
        return (
          (stage === 'done' || stage === 'counted') &&
          record !== undefined &&
          facts !== null &&
          sameSource(facts, record)
        );
      };
      const fresh: FoundSource[] = [];
      for (const one of found) {
        if (!isDone(one)) fresh.push(one);
        else note(one, 'done');
      }
      if (fresh.length === 0) return;
      const asked = await askNames(context, fresh);
      const jobs = fresh.map((one, i) => {
        wait(one.source, asked[i]!.heldBy);
        return { ...jobFor(one, asked[i]!), isCounted: known.stageOf(one.source) === 'counted' };
      });
      const { begun, inWork } = await index.renew(run, jobs);
      const busy = new Set(inWork);
      for (const one of fresh) {
        if (busy.has(one.source)) settling.offer(one);
        else note(one);
        walked.bytes += busy.has(one.source) ? 0 : (one.facts?.size ?? 0);
      }
      walked.total += begun;
      chunkDone(walked, false);
    },
    leave: (found) => note(found),
    passOver: ({ given, reason }) => passOver(given, reason),
    waitingFor(owner) {
      const heirs = [...(waiting.get(owner) ?? [])].filter(known.has);
      waiting.delete(owner);
      return heirs;
    },
    ended: known.advance,
    async forget(paths) {
      for (const path of paths) reportedReasons.delete(sources.givenOf(path));
      await letGo(paths);
    },
    letGo,
  };
}

function leadsThrough(path: string, links: ReadonlySet<string>): boolean {
  if (links.has(path)) return true;
  const above = dirname(path);
  return above !== path && leadsThrough(above, links);
}
