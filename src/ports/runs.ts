import type { Batch, BatchOptions, BatchState, Job, JobRecord, JobState, Output } from '../model.ts';

/** Who works: runs, batches as they begin and end, and runs whose process died. */
export interface Runs {
  /** Opens a new batch and a run that works on it. The run is alive until `end` or until its process dies. */
  begin(batch: NewBatch): Promise<Run>;
  /**
   * Opens a run on a batch that ended early or failed in part. Jobs in the chosen states wait again, and so do retrying
   * ones. When the inputs are walked again, no source counts as unchanged any more. Errors: `unknown_batch`;
   * `batch_running`, also after a second call.
   */
  resume(run: string, batch: string, choice: ResumeChoice): Promise<{ run: Run; batch: Batch }>;
  /** Ends run and batch, and frees what the run still had in work. A second call changes nothing. */
  end(run: Run, state: Exclude<BatchState, 'running'>): Promise<Batch>;
  /**
   * Asks for a batch to stop. `asked`: its live run finds out by `isCancelAsked`. `cancelled`: no run works on it, and
   * the caller cancels its waiting jobs by `cancelWaiting`. `ended`: the batch had ended. May be called twice. Errors:
   * `unknown_batch`.
   */
  askToCancel(batch: string): Promise<'asked' | 'cancelled' | 'ended'>;
  /** Whether someone has asked for the run's batch to stop. */
  isCancelAsked(run: Run): Promise<boolean>;
  /** Runs whose process died, until they are recovered. */
  dead(): Promise<DeadRun[]>;
  /**
   * Recovers dead runs: sets their jobs to `pending` and their batches to `interrupted`. If a batch was asked to stop,
   * the batch and its waiting jobs are set to `cancelled` instead. Sweep the staged files of the runs first: afterwards
   * the paths of these files are unknown. A second call changes nothing.
   */
  recover(dead: readonly DeadRun[]): Promise<void>;
}

export interface NewBatch extends Pick<Batch, 'command' | 'inputs' | 'cwd' | 'options'> {
  /** Hex id of the run. The names of staged files contain it. */
  readonly run: string;
}

export interface Run {
  readonly batch: string;
  readonly run: string;
}

/** Which part of a batch is done again. */
export interface ResumeChoice {
  /** Jobs in these states wait again. */
  readonly states: readonly Extract<JobState, 'cancelled' | 'failed'>[];
  /** Whether the inputs are walked again, because the first walk did not come to its end. */
  readonly walk: boolean;
  /** Sources whose jobs are removed, because the walk looks for them again. Until it has ended, the inputs count as not walked. */
  readonly withdrawn: readonly string[];
  /** The options from now on. */
  readonly options: BatchOptions;
}

/**
 * A run whose process died, with the output paths of its jobs in work: a file there may be an output that was not
 * recorded, and staged files may lie beside it. When the run's row is lost, its batch is empty and there is one path
 * for each folder with outputs.
 */
export interface DeadRun extends Run {
  readonly outputs: readonly string[];
}

/** What happened: batches and their jobs, kept for `status`, `list` and `verify`. */
export interface History {
  /** The batch whose id begins with this prefix. Errors: `unknown_batch` when there is none, or more than one. */
  batch(idPrefix: string): Promise<Batch>;
  /** The newest batches, newest first. */
  batches(limit: number): Promise<Batch[]>;
  /** For each output folder, the batch that began last with a preset of this name, also when the clock was set back. */
  lastOfPreset(preset: string): Promise<Batch[]>;
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

/** The questions of verbs that only look. The index and the store of uploads both answer them. */
export interface PastBatches extends Pick<History, 'batch' | 'batches' | 'jobs'> {
  /** Paths of the damaged sources that have outputs, in bytewise order. */
  degraded(batch: string): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** A job that made outputs, and how to describe such a job. */
export interface Maker extends Pick<Job, 'batch' | 'source' | 'given' | 'relative'> {
  readonly outputs: readonly Output[];
}
