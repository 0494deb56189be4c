import type { Job } from '../model.ts';
import { isMade } from './decide.ts';
import type { Places } from './facts.ts';
import { candidateNames } from './names.ts';

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
  const plain = candidateNames(job, options)[0]!;
  const lookup = await index.lookup([], plain);
  const records = plain.map((path) => lookup.output(path));
  const former = records.find((record) => record !== undefined)?.source;
  if (former === undefined || former === job.source) return job;
  const isHeir = records.every(
    (record, i) =>
      isMade(record) && record.source === former && record.digest === digest && record.path === plain[i],
  );
  if (!isHeir || (await sources.statAll([former]))[0] !== null) return job;
  await index.inherit(job, former, plain);
  return { ...job, naming: 0 };
}
