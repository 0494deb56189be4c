import type { Aside, Failure, Job, JobPart, JobState, Output, Timings } from '../model/jobs.ts';
import type { OutputRecord, Reservation, SourceRecord } from '../model/records.ts';
import type { Run } from './runs.ts';

/** Work in hand: the jobs of a batch from the walk to their end. */
export interface Jobs {
  /**
   * Adds jobs to a batch, reserves their names and adds up the unchanged sources, in one step. Returns the number of
   * new jobs. Ignores a source that the batch has already; the unchanged are added up each time. A job gets the first
   * of its candidate lists in which every name is free, its own, or held by a source that is `gone`. Names are reserved
   * in the given order; the largest sources are taken first.
   */
  add(run: Run, jobs: readonly NewJob[], unchanged: UnchangedTotals): Promise<number>;
  /**
   * Like `add`, for sources that may have a job already: such a job becomes pending as if it were new, also when it has
   * ended. Leaves a job alone that is in work, or that would take names from a source in work, and returns its source.
   */
  renew(run: Run, jobs: readonly NewJob[]): Promise<Renewed>;
  /** Of these sources, those that have a job in the batch. */
  known(run: Pick<Run, 'batch'>, sources: readonly string[]): Promise<string[]>;
  /** Removes a job in work from its batch: its source is gone, or no source. A second call changes nothing. */
  withdraw(job: Job): Promise<void>;
  /**
   * Removes the waiting jobs of sources that are gone, and subtracts sources without a job that were counted as
   * unchanged. Leaves jobs that are in work or have ended. Returns the sources of the removed jobs. Call it once: a
   * second call subtracts again.
   */
  withdrawGone(run: Run, gone: readonly Pick<NewJob, 'source' | 'isCounted'>[]): Promise<string[]>;
  /**
   * Records that the walk has ended, or was stopped, and how many files were passed over. The last call counts. Without
   * `aside`, what an earlier call recorded stays.
   */
  walked(run: Run, passedOver: number, ended: boolean, aside?: Aside): Promise<void>;
  /** Notes the finished variants of a job in work. The next attempt drops the note. A second call changes nothing. */
  notePart(job: number, part: JobPart): Promise<void>;
  /**
   * Takes up to `limit` jobs of the batch and makes them `processing`: pending ones, oldest first, then retrying ones
   * that are due at `now` (milliseconds since 1970). Each call takes other jobs.
   */
  take(run: Run, limit: number, now: number): Promise<Job[]>;
  /**
   * Claims the rendering of these bytes for a job. False while another job of a live run holds the claim: wait and ask
   * again. A job holds one claim until it is settled or given back, or claims other bytes. May be called twice.
   */
  claim(run: Run, job: Job, digest: string): Promise<boolean>;
  /**
   * Ends a job: records the source, the outputs, the job's state and the batch's counts. Call it once for each `take`.
   * Errors: `output_exists` when a name belongs to another source.
   */
  settle(run: Run, job: Job, result: Settlement): Promise<void>;
  /**
   * Puts a job back as `pending`, or as `retrying` from `notBefore` on (milliseconds since 1970), and drops its claim.
   * Call it once for each `take`.
   */
  giveBack(job: Job, state: 'pending' | 'retrying', notBefore?: number): Promise<void>;
  /** Makes up to `limit` waiting jobs `cancelled` and returns their number: 0 when none waits. */
  cancelWaiting(run: Pick<Run, 'batch'>, limit: number): Promise<number>;
}

export interface NewJob extends Pick<Job, 'source' | 'given' | 'relative'> {
  /** Why the job has failed already. Such a job is recorded and never taken, until it is done again. */
  readonly failed?: Failure;
  /** Bytes, where they are known: large sources take longest and start first. */
  readonly size?: number | undefined;
  /** Whether this batch has counted the source as unchanged. The new job removes it from that count. */
  readonly isCounted?: boolean;
  /** Lists of output paths, one path for each variant, best list first. */
  readonly candidates: readonly (readonly string[])[];
  /** The candidate whose names the source has already. It is tried first. */
  readonly kept?: number | undefined;
  /** Owners of candidate names that are gone: this source may take their names. */
  readonly gone?: readonly string[] | undefined;
}

export interface Renewed {
  /** Number of jobs that wait now and did not wait before. */
  readonly begun: number;
  /** Sources whose jobs were left alone. */
  readonly inWork: readonly string[];
}

/** Unchanged sources from a part of the walk: their number, their bytes, the bytes of their outputs, and damaged ones. */
export interface UnchangedTotals {
  readonly unchanged: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Paths of those that are damaged. */
  readonly degraded: readonly string[];
}

/** How a job ended. */
export interface Settlement {
  readonly state: Extract<JobState, 'completed' | 'duplicate' | 'unchanged' | 'failed' | 'cancelled'>;
  readonly source?: SourceRecord;
  /** Outputs of this job, or given to a skipped duplicate, that were made or found in order. */
  readonly made: readonly OutputRecord[];
  /** Names that a skipped duplicate keeps although nothing is made under them. */
  readonly skipped: readonly Reservation[];
  /** Names of this job's source whose outputs were removed. */
  readonly givenUp?: readonly string[];
  readonly outputs: readonly Output[];
  readonly bytes?: number;
  readonly duplicateOf?: string;
  readonly reused?: boolean;
  readonly error?: Failure;
  readonly ms?: Timings;
}
