import { ImgtoolError } from '../errors.ts';
import type { Digested, Job, JobEvent, Limits, SourceRecord } from '../model.ts';
import type { Again, Bench } from './job.ts';

/** Share of copies among the last jobs above which the next are likely copies too. */
const LIKELY = 0.25;
/** Over about so many jobs. */
const LAST = 8;

/** Copies of what was processed before come by the many: then they are recognised together, by their bytes alone. */
export interface Copies {
  /** Many jobs of late were copies. */
  readonly areLikely: boolean;
  /** What became of a job that was begun for the first time. */
  note(outcome: JobEvent | Again): void;
  /** What is known of the bytes of those that are copies, read once here. */
  recognise(jobs: readonly Job[]): Promise<ReadonlyMap<Job, SourceRecord>>;
}

export function openCopies(bench: Bench): Copies {
  let share = 0;
  /** A disk too slow for many at a time would be so each time. */
  let isPossible = !bench.options.force;
  return {
    get areLikely() {
      return isPossible && share > LIKELY;
    },
    note(outcome) {
      share += ((isCopy(outcome) ? 1 : 0) - share) / LAST;
    },
    async recognise(jobs) {
      try {
        return await recognise(bench, jobs, await digest(bench, jobs));
      } catch (error) {
        if (!(error instanceof ImgtoolError) || error.fatal) throw error;
        if (error.code === 'timeout') isPossible = false;
        // Whoever opens them hears what it was.
        return new Map();
      }
    },
  };
}

function isCopy(outcome: JobEvent | Again): boolean {
  if (outcome.type !== 'job') return outcome.type === 'waiting';
  return outcome.state === 'duplicate' || outcome.reused === true;
}

/** What a source held, and when that was read at the earliest, in milliseconds since 1970; null where it could not be. */
type Read = (Digested & Pick<SourceRecord, 'seenAt'>) | null;

async function recognise(
  { index, settings, options }: Bench,
  jobs: readonly Job[],
  digested: readonly Read[],
): Promise<ReadonlyMap<Job, SourceRecord>> {
  const owners = await Promise.all(
    digested.map(async (one) => one && (await index.made(one.digest, settings.slice(0, 1)))[0]?.source),
  );
  const lookup = await index.lookup([...new Set(owners.filter((owner) => owner != null))], []);
  const known = new Map<Job, SourceRecord>();
  for (const [i, job] of jobs.entries()) {
    const [one, owner] = [digested[i], owners[i]];
    const picture = owner == null ? undefined : lookup.source(owner);
    // The owner may hold other bytes by now, and may have been held to other limits.
    if (one == null || picture?.digest !== one.digest || !isWithin(picture, options.limits)) continue;
    known.set(job, { ...picture, ...one.facts, path: job.source, seenAt: one.seenAt });
  }
  return known;
}

function isWithin({ format, width, height }: SourceRecord, { pixels, allowSvg }: Limits): boolean {
  return width * height <= pixels && (format !== 'svg' || allowSvg);
}

/** All may take together what one picture may. */
async function digest({ renderer, sources, options }: Bench, jobs: readonly Job[]): Promise<Read[]> {
  const seenAt = Date.now();
  const files = jobs.map(({ source }) => ({ path: source, bounds: sources.boundsOf(source) }));
  const digested = await renderer.digest(files, options.limits.timeout);
  return digested.map((one) => one && { ...one, seenAt });
}
