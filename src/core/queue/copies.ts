import { ImgtoolError } from '../../errors.ts';
import type { Job, JobEvent, SourceRecord, Unstamped } from '../../model.ts';
import type { JobContext, Requeued } from '../job/context.ts';
import { trustedDigest } from '../job/decide.ts';
import { refusedNow } from '../job/open-source.ts';

/** Above this share of jobs with known bytes, the next jobs are likely copies too. */
const LIKELY = 0.25;
/** The share is a moving average over about this many jobs. */
const LAST = 8;

/**
 * Recognises files with known bytes, several at a time, by their digests alone. Such files often come in series: copies
 * of processed sources, or sources of which only the inode changed.
 */
export function openCopies({ index, sources, renderer, settings, options }: JobContext) {
  let share = 0;
  /** Turns false after a timeout: a disk that is too slow stays too slow. */
  let isPossible = !options.force;

  /** The jobs whose sources exist and whose bytes a stat does not prove. */
  async function withoutDigest(jobs: readonly Job[]): Promise<Job[]> {
    const paths = jobs.map(({ source }) => source);
    const [lookup, facts] = await Promise.all([index.lookup(paths, []), sources.statAll(paths)]);
    return jobs.filter(({ source }, i) => {
      const found = facts[i];
      return found != null && trustedDigest(found, lookup.source(source)) === undefined;
    });
  }

  /** Adds the records of those jobs whose bytes are known. */
  async function addKnown(jobs: readonly Job[], known: Map<Job, SourceRecord>): Promise<void> {
    if (jobs.length === 0) return;
    const seenAt = Date.now();
    const files = jobs.map(({ source }) => ({ path: source, bounds: sources.boundsOf(source) }));
    // All files together may take as long as one picture.
    const digested = await renderer.digest(files, options.limits.timeout);
    const owners = await Promise.all(
      digested.map(async (one) => one && (await index.made(one.digest, settings.slice(0, 1)))[0]?.source),
    );
    const asked = new Set([...jobs.map(({ source }) => source), ...owners.filter((owner) => owner != null)]);
    const lookup = await index.lookup([...asked], []);
    for (const [i, job] of jobs.entries()) {
      const [one, owner] = [digested[i], owners[i]];
      if (one == null) continue;
      // The record may describe former bytes of the file, or a picture that the limits now refuse.
      const records = [lookup.source(job.source), owner == null ? undefined : lookup.source(owner)];
      const picture = records.find((record) => record?.digest === one.digest);
      if (picture === undefined || refusedNow(picture, options.limits) !== undefined) continue;
      known.set(job, { ...picture, ...one.facts, path: job.source, seenAt });
    }
  }

  return {
    /** Whether the bytes of many recent jobs were known. */
    get areLikely() {
      return isPossible && share > LIKELY;
    },
    /** Notes the outcome of a job's first attempt. */
    note(outcome: Unstamped<JobEvent> | Requeued) {
      share += ((isKnown(outcome) ? 1 : 0) - share) / LAST;
    },
    /** Reads the jobs' sources once. Returns the records of those whose bytes are known. */
    async recognise(jobs: readonly Job[]): Promise<ReadonlyMap<Job, SourceRecord>> {
      const known = new Map<Job, SourceRecord>();
      try {
        await addKnown(await withoutDigest(jobs), known);
      } catch (error) {
        // The job that opens the file reports the error.
        if (!(error instanceof ImgtoolError) || error.fatal) throw error;
        if (error.code === 'timeout') isPossible = false;
      }
      return known;
    },
  };
}

function isKnown(outcome: Unstamped<JobEvent> | Requeued): boolean {
  if (outcome.type !== 'job') return outcome.type === 'waiting';
  return outcome.state === 'duplicate' || outcome.state === 'unchanged' || outcome.reused === true;
}

/** A job that waits for another job with the same bytes, and the record of those bytes. */
export type WaitingJob = Requeued['begun'];

/** Jobs that wait while a job with the same bytes is rendered, in this process or in a different one. */
export function openDuplicateWaitlist() {
  const waiting = new Set<WaitingJob>();
  const take = (isTaken: (job: WaitingJob) => boolean): WaitingJob[] => {
    const taken = [...waiting].filter(isTaken);
    for (const job of taken) waiting.delete(job);
    return taken;
  };
  return {
    get size() {
      return waiting.size;
    },
    add: (job: WaitingJob) => void waiting.add(job),
    /** Takes all jobs that wait for these bytes. */
    take: (digest: string) => take(({ learnt }) => learnt.digest === digest),
    /** Whether a job waits for bytes other than these. */
    waitsForOthers: (held: ReadonlySet<string>) =>
      [...waiting].some(({ learnt }) => !held.has(learnt.digest)),
    /** Takes one job for each digest but these. This job finds out whether another process has finished. */
    takeOneOfEach(held: ReadonlySet<string>) {
      const digests = new Set(held);
      return take(({ learnt: { digest } }) => {
        const isFirst = !digests.has(digest);
        digests.add(digest);
        return isFirst;
      });
    },
    takeAll: () => take(() => true),
  };
}
