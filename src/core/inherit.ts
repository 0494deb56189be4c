import type { Job } from '../model.ts';
import { isMade } from './decide.ts';
import type { Places } from './facts.ts';
import { namesOf, plainNames } from './names.ts';

/**
 * A source renamed or moved with its whole tree comes back under names its former self still owns: when that is gone
 * and had the same bytes, the plain names are this job's now.
 */
export async function inheritNames(
  { index, sources, options }: Places,
  job: Job,
  digest: string,
): Promise<Job> {
  if (job.naming === 0) return job;
  const plain = plainNames(job, options);
  const lookup = await index.lookup([], plain);
  const records = plain.map((path) => lookup.output(path));
  const owners = new Set(records.map((record) => record?.source));
  const [former] = owners;
  if (owners.size !== 1 || former === undefined) return job;
  if (former === job.source) return { ...job, naming: 0 };
  const isHeir = records.every(
    (record, i) => isMade(record) && record.digest === digest && record.path === plain[i],
  );
  if (!isHeir || (await sources.statAll([former]))[0] !== null) return job;
  const isDone = await index.inherit(job, former, plain, namesOf(job, options) ?? []);
  return isDone ? { ...job, naming: 0 } : job;
}
