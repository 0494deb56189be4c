import type { Requeued } from '../job/context.ts';

/** A job that waits for another job with the same bytes, and the record of those bytes. */
export type WaitingJob = Requeued['begun'];

/** Jobs that wait until another job, in this process or in another, has rendered the same bytes. */
export interface DuplicateWaitlist {
  readonly size: number;
  add(job: WaitingJob): void;
  /** Takes all jobs that wait for these bytes. */
  take(digest: string): WaitingJob[];
  /** Takes one job for each digest. This job finds out whether another process has finished. */
  takeOneOfEach(): WaitingJob[];
  takeAll(): WaitingJob[];
}

export function openDuplicateWaitlist(): DuplicateWaitlist {
  const byDigest = new Map<string, WaitingJob[]>();
  let size = 0;
  const take = (digest: string, most: number): WaitingJob[] => {
    const jobs = byDigest.get(digest) ?? [];
    const taken = jobs.splice(0, most);
    if (jobs.length === 0) byDigest.delete(digest);
    size -= taken.length;
    return taken;
  };
  const fromEach = (most: number) => [...byDigest.keys()].flatMap((digest) => take(digest, most));
  return {
    get size() {
      return size;
    },
    add(job) {
      const jobs = byDigest.get(job.learnt.digest);
      if (jobs === undefined) byDigest.set(job.learnt.digest, [job]);
      else jobs.push(job);
      size++;
    },
    take: (digest) => take(digest, Number.POSITIVE_INFINITY),
    takeOneOfEach: () => fromEach(1),
    takeAll: () => fromEach(Number.POSITIVE_INFINITY),
  };
}
