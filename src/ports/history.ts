import type { Batch, JobRecord, JobState, Output } from '../model.ts';

/** What happened: batches and their jobs, kept for `status`, `list` and `verify`. */
export interface History {
  /** The batch whose id begins with this prefix. Errors: `unknown_batch` when there is none, or more than one. */
  batch(idPrefix: string): Promise<Batch>;

  /** The newest batches, newest first. */
  batches(limit: number): Promise<Batch[]>;

  /** The jobs of a batch in these states, state by state. Each page is in the order of its sources' paths. */
  jobs(batch: string, states: readonly JobState[]): AsyncIterable<JobRecord>;

  /** The jobs that made outputs of these sources, newest first. */
  makers(sources: readonly string[]): Promise<Maker[]>;

  /**
   * Removes batches that ended before this time (milliseconds since 1970), some jobs in each step. Never touches what
   * was made. A second call goes on where the first one stopped.
   */
  prune(before: number): Promise<void>;
}

/** A job that made outputs, and how to describe such a job. */
export interface Maker {
  readonly batch: string;
  readonly source: string;
  readonly given: string;
  readonly relative: string;
  readonly outputs: readonly Output[];
}
