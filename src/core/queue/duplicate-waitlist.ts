import type { Requeued } from '../job/context.ts';

/** A job that waits for another job with the same bytes, and the record of those bytes. */
export type WaitingJob = Requeued['begun'];

/** Jobs that wait until another job, in this process or in another, has rendered the same bytes. */
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
    /** Takes one job for each digest. This job finds out whether another process has finished. */
    takeOneOfEach() {
      const firsts = new Map<string, WaitingJob>();
      for (const job of waiting) firsts.set(job.learnt.digest, firsts.get(job.learnt.digest) ?? job);
      return take((job) => firsts.get(job.learnt.digest) === job);
    },
    takeAll: () => take(() => true),
  };
}
