import { ImgtoolError } from '../../errors.ts';
import type { Digested, Job, JobEvent, SourceRecord, Unstamped } from '../../model.ts';
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
export function openCopies(context: JobContext) {
  let share = 0;
  /** Turns false after a timeout: a disk that is too slow stays too slow. */
  let isPossible = !context.options.force;
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
      try {
        const unread = await withoutDigest(context, jobs);
        return await recognise(context, unread, await digest(context, unread));
      } catch (error) {
        if (!(error instanceof ImgtoolError) || error.fatal) throw error;
        if (error.code === 'timeout') isPossible = false;
        // The job that opens the file reports the error.
        return new Map();
      }
    },
  };
}

function isKnown(outcome: Unstamped<JobEvent> | Requeued): boolean {
  if (outcome.type !== 'job') return outcome.type === 'waiting';
  return outcome.state === 'duplicate' || outcome.state === 'unchanged' || outcome.reused === true;
}

/** The jobs whose sources exist and whose bytes a stat does not prove. */
async function withoutDigest({ index, sources }: JobContext, jobs: readonly Job[]): Promise<Job[]> {
  const paths = jobs.map(({ source }) => source);
  const [lookup, facts] = await Promise.all([index.lookup(paths, []), sources.statAll(paths)]);
  return jobs.filter(({ source }, i) => {
    const found = facts[i];
    return found != null && trustedDigest(found, lookup.source(source)) === undefined;
  });
}

/** A source's digest, and the earliest time of its read in milliseconds since 1970. Null when it could not be read. */
type DigestRead = (Digested & Pick<SourceRecord, 'seenAt'>) | null;

async function recognise(
  { index, settings, options }: JobContext,
  jobs: readonly Job[],
  digested: readonly DigestRead[],
): Promise<ReadonlyMap<Job, SourceRecord>> {
  const owners = await Promise.all(
    digested.map(async (one) => one && (await index.made(one.digest, settings.slice(0, 1)))[0]?.source),
  );
  const asked = new Set([...jobs.map(({ source }) => source), ...owners.filter((owner) => owner != null)]);
  const lookup = await index.lookup([...asked], []);
  const known = new Map<Job, SourceRecord>();
  for (const [i, job] of jobs.entries()) {
    const [one, owner] = [digested[i], owners[i]];
    if (one == null) continue;
    // A record may be of other bytes, or of other limits.
    const records = [lookup.source(job.source), owner == null ? undefined : lookup.source(owner)];
    const picture = records.find((record) => record?.digest === one.digest);
    if (picture === undefined || refusedNow(picture, options.limits) !== undefined) continue;
    known.set(job, { ...picture, ...one.facts, path: job.source, seenAt: one.seenAt });
  }
  return known;
}

/** All files together may take as long as one picture. */
async function digest(
  { renderer, sources, options }: JobContext,
  jobs: readonly Job[],
): Promise<DigestRead[]> {
  if (jobs.length === 0) return [];
  const seenAt = Date.now();
  const files = jobs.map(({ source }) => ({ path: source, bounds: sources.boundsOf(source) }));
  const digested = await renderer.digest(files, options.limits.timeout);
  return digested.map((one) => one && { ...one, seenAt });
}
