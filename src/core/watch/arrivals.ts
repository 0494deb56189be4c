import { dirname } from 'node:path';
import { SURPRISING } from '../../model/jobs.ts';
import type { Failure, PassedOver, SourceFacts } from '../../model.ts';
import type { FoundSource, Skipped, UnreadableFolder } from '../../ports.ts';
import {
  type ChunkDone,
  failedEvent,
  failedJob,
  passedOverEvent,
  unchangedTotals,
  type Walked,
} from '../batch/intake.ts';
import { askNames } from '../batch/reserve.ts';
import { type Separated, sortOut, tellApart } from '../batch/sort.ts';
import type { JobContext } from '../job/context.ts';
import { sameSource } from '../job/decide.ts';
import type { Known, Stage } from './known.ts';
import type { Settling } from './settling.ts';

export type Arrivals = ReturnType<typeof openArrivals>;

/** The files that a watch has met, and their jobs. */
export function openArrivals(context: JobContext, known: Known, settling: Settling, chunkDone: ChunkDone) {
  const { index, run, sources, emit } = context;
  const walked: Walked = { total: 0, bytes: 0, passedOver: 0, ended: false };
  const reportedReasons = new Map<string, { readonly reason: PassedOver; readonly round: number }>();
  /** Counts the walks through everything. */
  let round = 0;
  /** Owners of names, with the sources that wait for these names. */
  const waiting = new Map<string, Set<string>>();

  const wait = (source: string, heldBy: readonly string[]): void => {
    for (const owner of context.takesPlainNames ? heldBy : []) {
      waiting.set(owner, (waiting.get(owner) ?? new Set()).add(source));
    }
  };

  const note = ({ source, facts }: FoundSource, stage: Stage): void => {
    if (facts !== null) known.note(source, facts, stage);
  };

  /** Notes files that are outputs. A file under a reserved name may be a source, so the next walk checks it again. */
  const noteOutputs = (outputs: Separated['outputs']): void => {
    for (const { found, isMade } of outputs) if (isMade) note(found, 'output');
  };

  const passOver = (entry: Omit<Skipped, 'type' | 'path'>): void => {
    const { given, reason } = entry;
    // After the first walk, report only surprising files, each once for each reason.
    if (walked.ended && !SURPRISING.has(reason)) return;
    if (SURPRISING.has(reason)) {
      const before = reportedReasons.get(given)?.reason;
      reportedReasons.set(given, { reason, round });
      if (before === reason) return;
    }
    walked.passedOver++;
    emit(passedOverEvent(entry));
  };

  /** Forgets the files at these paths. Withdraws their waiting jobs from the batch. */
  const letGo = async (paths: readonly string[]): Promise<void> => {
    const gone = paths
      .filter(known.has)
      .map((source) => ({ source, isCounted: known.stageOf(source) === 'counted' }));
    for (const path of paths) {
      settling.drop(path);
      known.drop(path);
    }
    const dropped = gone.length === 0 ? [] : await index.withdrawGone(run, gone);
    for (const path of dropped) emit({ type: 'withdrawn', source: sources.givenOf(path) });
  };

  return {
    walked,
    /** Whether a file needs no work. After a reported change a failed file needs work: permissions may have changed. */
    isKnown: (path: string, facts: SourceFacts, isReported = false) =>
      (known.meet(path, facts) && !(isReported && known.stageOf(path) === 'failed')) ||
      settling.has(path, facts),
    has: (path: string) => known.has(path) || settling.has(path),
    /** The sizes of the files whose outputs may not be made yet. */
    sizesInWork: (): ReadonlySet<number> =>
      new Set([
        ...known.sizesIn('taken', 'failed'),
        ...settling.all().flatMap(({ facts }) => facts?.size ?? []),
      ]),
    /** Known and settling files whose paths lead through one of these links. */
    behind(links: ReadonlySet<string>): string[] {
      const settled = settling.all().map(({ source }) => source);
      return [...known.all(), ...settled].filter((path) => leadsThrough(path, links));
    },
    /** Reports files that need no work. Returns the other files. */
    async sort(found: readonly FoundSource[]): Promise<readonly FoundSource[]> {
      // Only the first walk counts unchanged files without a job. Later the batch may have jobs for them.
      if (walked.ended) return found;
      const { sources: changed, unchanged, outputs } = await sortOut(context, found);
      for (const { found } of outputs) passOver({ given: found.given, reason: 'output' });
      noteOutputs(outputs);
      const events = unchanged.map(({ event }) => event);
      const totals = unchangedTotals(unchanged);
      await index.add(run, [], totals);
      walked.total += events.length;
      walked.bytes += totals.bytesIn;
      chunkDone(walked, false);
      for (const event of events) emit(event);
      for (const one of unchanged) {
        note(one.found, 'counted');
        wait(one.found.source, one.heldBy);
      }
      return changed.map((one) => one.found);
    },
    /** Adds jobs for settled files. */
    async take(rested: readonly FoundSource[]): Promise<void> {
      for (const { given } of rested) reportedReasons.delete(given);
      const { outputs, sources: named, lookup } = await tellApart(context, rested);
      noteOutputs(outputs);
      // A file may change after its job was added and before the job read it. Then the job has processed the new bytes.
      const isDone = ({ source, facts }: FoundSource) => {
        const [record, stage] = [lookup.source(source), known.stageOf(source)];
        const isProcessed = stage === 'done' || stage === 'counted';
        return isProcessed && record !== undefined && facts !== null && sameSource(facts, record);
      };
      const fresh = named.filter(({ found }) => {
        if (isDone(found)) note(found, 'done');
        return !isDone(found);
      });
      if (fresh.length === 0) return;
      const asked = await askNames(context, fresh, lookup);
      for (const { job, heldBy } of asked) wait(job.source, heldBy);
      const isCounted = (source: string) => known.stageOf(source) === 'counted';
      const jobs = asked.map(({ job }) => ({ ...job, isCounted: isCounted(job.source) }));
      const { begun, inWork } = await index.renew(run, jobs);
      const busy = new Set(inWork);
      for (const { found } of fresh) {
        if (busy.has(found.source)) settling.offer(found);
        else {
          note(found, 'taken');
          walked.bytes += found.facts?.size ?? 0;
        }
      }
      walked.total += begun;
      chunkDone(walked, false);
    },
    /**
     * Adds a failed job for a file or folder that cannot be read, unless it has a job. A file also gets its names, for
     * a later attempt.
     */
    async fail(entry: FoundSource | UnreadableFolder, error: Failure): Promise<void> {
      if ((await index.known(run, [entry.source])).length > 0) return;
      let job = failedJob(entry, error);
      if (entry.type === 'found') {
        const { sources: named, lookup } = await tellApart(context, [entry]);
        const [asked] = await askNames(context, named, lookup);
        if (asked === undefined) return;
        job = { ...asked.job, failed: error };
      }
      walked.total += await index.add(run, [job], unchangedTotals([]));
      chunkDone(walked, false);
      emit(failedEvent(entry, error));
    },
    /** Notes a file that gets no job. */
    leave: (found: FoundSource) => note(found, 'taken'),
    passOver,
    /** Takes the sources that wait for names of this owner. */
    waitingFor(owner: string): string[] {
      const heirs = [...(waiting.get(owner) ?? [])].filter(known.has);
      waiting.delete(owner);
      return heirs;
    },
    /** A walk through everything has ended. The files that it did not meet are reported again when they return. */
    endRound() {
      for (const [given, reported] of reportedReasons)
        if (reported.round !== round) reportedReasons.delete(given);
      round++;
    },
    /** Notes that nothing is at these paths any more. */
    async forget(paths: readonly string[]): Promise<void> {
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
