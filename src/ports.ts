import type {
  Batch,
  BatchOptions,
  BatchState,
  Failure,
  Job,
  JobRecord,
  JobState,
  Output,
  OutputRecord,
  Reservation,
  SourceRecord,
  Timings,
} from './model.ts';

export type * from './ports/renderer.ts';
export type * from './ports/sources.ts';
export type * from './ports/storage.ts';

/**
 * The record of what was made, what is in hand and what happened. Each method is one atomic step, safe against
 * other processes on the same index; a step that throws changed nothing. Errors: `index_unusable`, `index_newer`.
 */
export interface Index {
  /** Opens a batch and a run that works on it; the run is alive until `end` or until its process dies. */
  begin(batch: NewBatch): Promise<Run>;

  /**
   * What is recorded of these sources, and of outputs under their paths and under these (names compared as a case-folding
   * disk would).
   */
  lookup(sources: readonly string[], outputs: readonly string[]): Promise<Lookup>;

  /**
   * Adds jobs to a batch, reserves each one's names and counts the unchanged, in one step; how many jobs were new. A
   * source already in the batch is ignored. A job gets the first of its candidate lists of names in which none belongs
   * to another source; names of sources that are `gone` pass to it. Names are reserved in the order given, but of those
   * added together the largest are taken first.
   */
  add(run: Run, jobs: readonly NewJob[], unchanged: Tally): Promise<number>;

  /**
   * As `add`, for sources of which some changed since they were added: their jobs become pending as if new, also those
   * that have ended. Of jobs in work nothing changes, nor of one that is to take names of a source in work; their
   * sources are returned.
   */
  renew(run: Run, jobs: readonly NewJob[]): Promise<Renewed>;

  /** Takes a job in work out of its batch as if it had never been: its source is gone, or none after all. */
  withdraw(job: Job): Promise<void>;

  /**
   * The same for sources that are gone: their jobs that wait are dropped, and whoever was counted as unchanged no longer
   * is. Jobs in work or ended stay. The sources of the jobs dropped.
   */
  withdrawGone(run: Run, gone: readonly Pick<NewJob, 'source' | 'isCounted'>[]): Promise<string[]>;

  /** The walk of the batch's inputs came to its end, or was stopped; `passedOver` files were no jobs. */
  walked(run: Run, passedOver: number, ended: boolean): Promise<void>;

  /**
   * Takes up to `limit` pending jobs of the run's batch, oldest first, then those that are due again at `now`
   * (milliseconds since 1970); they are `processing` from here on.
   */
  take(run: Run, limit: number, now: number): Promise<Job[]>;

  /**
   * Says that this run renders these bytes now. False when another job, here or in another live run, does: wait and
   * ask again. A job holds one claim, until it is settled, given back, or asks for other bytes.
   */
  claim(run: Run, job: Job, digest: string): Promise<boolean>;

  /** Outputs made from these bytes with these settings: for each settings a few of the oldest and of the newest. */
  made(digest: string, settings: readonly string[]): Promise<OutputRecord[]>;

  /**
   * An output of these bytes that was made under this file name, whatever its folder; names are compared as by `lookup`.
   */
  withChecksum(checksum: string, name: string): Promise<OutputRecord | undefined>;

  /** Names reserved by other sources with these bytes under which nothing was made: duplicates that were skipped. */
  skipped(digest: string, settings: readonly string[]): Promise<Reservation[]>;

  /** Recorded sources below a folder, in bytewise order, read in pages. */
  sourcesBelow(folder: string): AsyncIterable<string>;

  /**
   * Renames the settings digests of an older version in all records. Costs a look-up each where the index has none. Not
   * one step, but safe to repeat, also after a crash.
   */
  renameSettings(renamed: readonly RenamedSettings[]): Promise<void>;

  /** All outputs that were made, oldest first, read in pages. */
  outputs(): AsyncIterable<OutputRecord>;

  /** Takes the records of these outputs, and of all that share their bytes, for wrong: they are made again when next looked at. */
  distrust(outputs: readonly OutputRecord[]): Promise<void>;

  /** The kept jobs of these sources that left outputs, newest first. */
  makers(sources: readonly string[]): Promise<Maker[]>;

  /** The names that are this source's, made or held. */
  ownedBy(source: string): Promise<(OutputRecord | Reservation)[]>;

  /** Forgets a source that is gone and these of its names, after what was given of them to others is recorded. */
  forget(source: string, outputs: readonly string[], given: readonly OutputRecord[]): Promise<void>;

  /** Records the ctimes of sources of which none is recorded; leaves the others as they are. */
  addCtimes(seen: readonly Pick<SourceRecord, 'path' | 'ctime'>[]): Promise<void>;

  /** Ends a job: what was learnt of its source, what was made, its state and the batch's counts, in one step. */
  settle(run: Run, job: Job, result: Settlement): Promise<void>;

  /** Puts a job back: `pending`, or `retrying` from `notBefore` (milliseconds since 1970). Its claim lapses. */
  giveBack(job: Job, state: 'pending' | 'retrying', notBefore?: number): Promise<void>;

  /** Makes up to `limit` jobs that wait `cancelled`; how many it was, 0 when none is left. */
  cancelWaiting(run: Pick<Run, 'batch'>, limit: number): Promise<number>;

  /**
   * Opens a run on a batch that has ended early or failed in part: its jobs in these states wait again, as do those a
   * dead run left. Of one whose walk is to be done again nobody counts as unchanged any more. Errors: `unknown_batch`,
   * `batch_running`.
   */
  resume(run: string, batch: string, again: Again): Promise<{ readonly run: Run; readonly batch: Batch }>;

  /** Of these sources, those that have a job in the batch. */
  known(run: Pick<Run, 'batch'>, sources: readonly string[]): Promise<string[]>;

  /**
   * Wants a batch to be stopped. `asked`: the run that works on it will hear of it. `cancelled`: nobody works on it, and
   * its jobs that wait are to be cancelled by `cancelWaiting`. `ended`: nothing is left to be stopped.
   */
  askToCancel(batch: string): Promise<'asked' | 'cancelled' | 'ended'>;

  /** Whether somebody wants the run's batch to be stopped. */
  isCancelAsked(run: Run): Promise<boolean>;

  /** Ends run and batch. */
  end(run: Run, state: Exclude<BatchState, 'running'>): Promise<Batch>;

  /** Runs whose process died, until they are recovered. */
  dead(): Promise<DeadRun[]>;

  /**
   * Makes the jobs of dead runs pending and their batches interrupted, once what they left staged is gone. Of a batch
   * that was to be stopped they become `cancelled`.
   */
  recover(dead: readonly DeadRun[]): Promise<void>;

  /** The batch whose id begins so. Errors: `unknown_batch`, also when several do. */
  batch(idPrefix: string): Promise<Batch>;

  /** Newest first. */
  batches(limit: number): Promise<Batch[]>;

  /** A batch's kept jobs in these states, read in pages, each in the order of its sources' paths. */
  jobs(batch: string, states: readonly JobState[]): AsyncIterable<JobRecord>;

  /** Removes batches that ended before this time (milliseconds since 1970), a few at a time; never what was made. */
  prune(before: number): Promise<void>;

  /** What `doctor` tells of it. Reads all of it. */
  health(): Promise<IndexHealth>;

  /** May be called twice. */
  close(): Promise<void>;
}

export interface NewBatch {
  /** Hex id of the run; staged files carry it in their names. */
  readonly run: string;
  readonly command: Batch['command'];
  readonly inputs: readonly string[];
  readonly cwd: string;
  readonly options: BatchOptions;
}

/** Two settings digests of one variant: as an older version computed it, and as it is now. */
export interface RenamedSettings {
  readonly from: string;
  readonly to: string;
}

export interface Run {
  readonly batch: string;
  readonly run: string;
}

/** What of a batch is done again. */
export interface Again {
  /** Jobs in these states wait again. */
  readonly states: readonly Extract<JobState, 'cancelled' | 'failed'>[];
  /** Its inputs are walked again, since the first walk did not come to its end. Who was unchanged is counted anew. */
  readonly walk: boolean;
  /** What holds from here on. */
  readonly options: BatchOptions;
}

/** A job that left outputs, and what a job like it is made of. */
export interface Maker {
  readonly batch: string;
  readonly source: string;
  readonly given: string;
  readonly relative: string;
  readonly outputs: readonly Output[];
}

/**
 * A run that died, and the output paths its jobs in work may have left staged files beside. When its row was lost its
 * batch is empty, and there is one path for each folder with outputs.
 */
export interface DeadRun extends Run {
  readonly outputs: readonly string[];
}

export interface Lookup {
  source(path: string): SourceRecord | undefined;
  output(path: string): OutputRecord | Reservation | undefined;
  /** Whether nothing was made yet under a name that is held for a source in work: what is there may be its output. */
  isInWork(path: string): boolean;
}

export interface NewJob {
  readonly source: string;
  readonly given: string;
  readonly relative: string;
  /** Bytes, as far as they are known: what takes longest is best begun first. */
  readonly size?: number | undefined;
  /** It was counted as unchanged in this batch, which is no more so once it is a job. */
  readonly isCounted?: boolean;
  /** Lists of output paths, one path a variant, best first. */
  readonly candidates: readonly (readonly string[])[];
  /** The candidate whose names the source has already: it keeps them where it can. */
  readonly kept?: number | undefined;
  /** Owners of candidate names that are gone: their names are free for this source. */
  readonly gone?: readonly string[] | undefined;
}

export interface Renewed {
  /** Jobs that wait now and did not before: new ones, and such as had ended. */
  readonly begun: number;
  /** Sources whose jobs are in work: nothing was done about them. */
  readonly inWork: readonly string[];
}

/** What a chunk of the walk found unchanged. */
export interface Tally {
  readonly unchanged: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export interface Settlement {
  readonly state: Extract<JobState, 'completed' | 'duplicate' | 'unchanged' | 'failed' | 'cancelled'>;
  readonly source?: SourceRecord;
  /** Outputs made or found in order, of this job or given to a skipped duplicate. */
  readonly made: readonly OutputRecord[];
  /** Names kept for this source although nothing was made under them, since its bytes are another's. */
  readonly skipped: readonly Reservation[];
  /** Names of this job's source that it gives up: their outputs are removed. */
  readonly givenUp?: readonly string[];
  readonly outputs: readonly Output[];
  readonly bytes?: number;
  readonly duplicateOf?: string;
  readonly reused?: boolean;
  readonly degraded?: boolean;
  readonly error?: Failure;
  readonly ms?: Timings;
}

export interface IndexHealth {
  readonly path: string;
  readonly version: number;
  /** Bytes on disk with its WAL. */
  readonly bytes: number;
  readonly sources: number;
  /** Those that were made. */
  readonly outputs: number;
  readonly batches: number;
  /** What is wrong with it; empty when nothing is. */
  readonly problems: readonly string[];
}
