import { ImgtoolError } from '../../errors.ts';
import type { Digested, Job, JobEvent, SourceRecord } from '../../model.ts';
import type { JobContext, Requeued } from '../job/context.ts';
import { trustedDigest } from '../job/decide.ts';
import { refusedNow } from '../job/limits.ts';

/** Share of known bytes among the last jobs above which the bytes of the next are likely known too. */
const LIKELY = 0.25;
/** Over about so many jobs. */
const LAST = 8;

/**
 * Files whose bytes are known come by the many: copies of what was processed before, or sources whose inodes alone
 * changed. Then they are recognised together, by their bytes alone.
 */
export interface Copies {
  /** The bytes of many jobs of late were known. */
  readonly areLikely: boolean;
  /** What became of a job that was begun for the first time. */
  note(outcome: JobEvent | Requeued): void;
  /** What is known of the bytes of those that are copies or as they were, read once here. */
  recognise(jobs: readonly Job[]): Promise<ReadonlyMap<Job, SourceRecord>>;
}

export function openCopies(context: JobContext): Copies {
  let share = 0;
  /** A disk too slow for many at a time would be so each time. */
  let isPossible = !context.options.force;
  return {
    get areLikely() {
      return isPossible && share > LIKELY;
    },
    note(outcome) {
      share += ((isKnown(outcome) ? 1 : 0) - share) / LAST;
    },
    async recognise(jobs) {
      try {
        const unread = await withoutDigest(context, jobs);
        return await recognise(context, unread, await digest(context, unread));
      } catch (error) {
        if (!(error instanceof ImgtoolError) || error.fatal) throw error;
        if (error.code === 'timeout') isPossible = false;
        // Whoever opens them hears what it was.
        return new Map();
      }
    },
  };
}

function isKnown(outcome: JobEvent | Requeued): boolean {
  if (outcome.type !== 'job') return outcome.type === 'waiting';
  return outcome.state === 'duplicate' || outcome.state === 'unchanged' || outcome.reused === true;
}

/** Those that are there and for whose bytes no stat vouches: it is their outputs that need a look. */
async function withoutDigest({ index, sources }: JobContext, jobs: readonly Job[]): Promise<Job[]> {
  const paths = jobs.map(({ source }) => source);
  const [lookup, facts] = await Promise.all([index.lookup(paths, []), sources.statAll(paths)]);
  return jobs.filter(({ source }, i) => {
    const found = facts[i];
    return found != null && trustedDigest(found, lookup.source(source)) === undefined;
  });
}

/** What a source held, and when that was read at the earliest, in milliseconds since 1970; null where it could not be. */
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
    // Either may have held other bytes when it was recorded, and may have been held to other limits.
    const records = [lookup.source(job.source), owner == null ? undefined : lookup.source(owner)];
    const picture = records.find((record) => record?.digest === one.digest);
    if (picture === undefined || refusedNow(picture, options.limits) !== undefined) continue;
    known.set(job, { ...picture, ...one.facts, path: job.source, seenAt: one.seenAt });
  }
  return known;
}

/** All may take together what one picture may. */
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
