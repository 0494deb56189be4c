import { dirname } from 'node:path';
import type { Event, JobEvent, PassedOver, SourceFacts } from '../../model.ts';
import type { FoundSource, Skipped, UnreadableFolder } from '../../ports.ts';
import { failedEvent, failedJob, jobFor, tallyOf, type Walked } from '../batch/intake.ts';
import { askNames } from '../batch/reserve.ts';
import { sortOut, tellApart } from '../batch/sort.ts';
import type { JobContext } from '../job/context.ts';
import { sameSource } from '../job/decide.ts';
import { openKnown, type Stage } from './known.ts';
import type { Settling } from './settling.ts';

/** The files that a watch has met, and their jobs. */
export interface Arrivals {
  readonly walked: Walked;
  /** Whether a file with these facts needs no work: it is already processed, or it is settling. */
  isKnown(path: string, facts: SourceFacts): boolean;
  /** The same for a file with a reported change. A failed file needs work: its permissions may have changed. */
  isKnownGood(path: string, facts: SourceFacts): boolean;
  has(path: string): boolean;
  /** Known sources below a folder. */
  below(folder: string): string[];
  /** Known and settling files whose paths lead through one of these links. */
  behind(links: ReadonlySet<string>): string[];
  /** Starts a walk through everything. */
  nextRound(): void;
  /** Known sources that the walk did not meet. */
  notMet(): string[];
  /** Reports files that need no work. Returns the other files. */
  sort(found: readonly FoundSource[]): Promise<readonly FoundSource[]>;
  /** Adds jobs for settled files. */
  take(rested: readonly FoundSource[]): Promise<void>;
  /** Adds the failed job of a file or folder that cannot be read, once. */
  fail(unreadable: Omit<UnreadableFolder, 'type'>): Promise<void>;
  /** Notes a file that gets no job. */
  leave(found: FoundSource): void;
  passOver(skipped: Skipped): void;
  /** Takes the sources that wait for names of this owner. */
  waitingFor(owner: string): string[];
  /** Notes how far the job of a source has come. */
  ended(source: string, stage: Stage): void;
  /** Notes that nothing is at these paths any more. */
  forget(paths: readonly string[]): Promise<void>;
  /** Forgets the files at these paths. Withdraws their waiting jobs from the batch. */
  letGo(paths: readonly string[]): Promise<void>;
}

/** The reasons reported for a file that arrives after the first walk. The other reasons are normal and too frequent. */
const UNUSUAL: ReadonlySet<PassedOver> = new Set(['not_regular', 'name_not_utf8', 'symlink']);

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
  /** Owners of names, with the sources that wait for these names. */
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
    // After the first walk, report only unusual files, each once for each reason.
    if (walked.ended && !UNUSUAL.has(reason)) return;
    if (UNUSUAL.has(reason)) {
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
      // Only the first walk counts unchanged files without a job. Later the batch may have jobs for them.
      if (walked.ended) return found;
      const { changed, unchanged, outputs } = await sortOut(context, found);
      for (const one of outputs) {
        passOver(one.found.given, 'output');
        // A file under a reserved name may be a source. The next walk checks it again.
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
      // A file may change after its job was added and before the job read it. Then the job has processed the new bytes.
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
    async fail(unreadable) {
      const added = await index.add(run, [failedJob(unreadable)], tallyOf([]));
      if (added === 0) return;
      walked.total++;
      chunkDone(walked, false);
      emit(failedEvent(unreadable, run.batch));
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
