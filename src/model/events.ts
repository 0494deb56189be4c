import type {
  Aside,
  BatchState,
  Counts,
  EndedState,
  Failure,
  JobPart,
  Output,
  PassedOver,
  Timings,
} from './jobs.ts';
import type { ProfileEvent } from './profile.ts';

/** Something that happened, as data. Terminal, plain text, JSON lines, summary and library all read these events. */
export type Event = OfWalk | OfBatch | OfJob | OfWatch;
type OfWalk = WalkEvent | TotalEvent | PassedOverEvent | Warning;
type OfJob = JobStarted | JobProgress | JobWaiting | JobEvent | JobRetrying;
type OfBatch = BatchStarted | Stopping | ProfileEvent | BatchFinished;
type OfWatch = Watching | Scanned | StillWritten | Withdrawn | Removed;

/** An event before its batch adds its id. */
export type Unstamped<E = Event> = E extends Event ? Omit<E, 'batch'> : never;

interface AboutBatch {
  readonly batch: string;
}

interface AboutSource extends AboutBatch {
  readonly source: string;
}

interface AboutJob extends AboutSource {
  /** The job's number in the index. Absent where a source has no record: unchanged, or in a dry run. */
  readonly job?: number;
}

/** The progress of the walk: sources found so far, and their bytes. */
export type WalkEvent = AboutBatch & {
  readonly type: 'walk';
  readonly found: number;
  readonly bytes: number;
};

export interface BatchStarted extends AboutBatch {
  readonly type: 'batch.started';
  /** Null while the walk is still running. */
  readonly total: number | null;
  /** Bytes of the sources found so far. */
  readonly bytes: number;
  readonly out: string;
  readonly preset: string;
  readonly jobs: number;
  /** True when the batch continues an earlier one: `total` counts only the jobs left, and `bytes` does not include them. */
  readonly resumed?: true;
  readonly dryRun?: true;
  /** Path of the index, if a person named it and the batch made it. */
  readonly newIndex?: string;
}

/** The walk has ended: the final totals. */
export type TotalEvent = AboutBatch & {
  readonly type: 'total';
  readonly total: number;
  readonly bytes: number;
};

/** An image is in work from now on. Emitted again when the image continues after it waited or began again. */
export type JobStarted = AboutJob & { readonly type: 'job.started' };

/** One more variant of an image in work is rendered: `done` of the `total` that the image needs. */
export interface JobProgress extends AboutJob, JobPart {
  readonly type: 'job.progress';
  /** Bytes of the source. */
  readonly bytes: number;
}

/** An image is no longer in work: it waits for another image with the same bytes. `bytes`: those of the source. */
export type JobWaiting = AboutJob & { readonly type: 'job.waiting'; readonly bytes: number };

/** A job has ended. */
export interface JobEvent extends AboutJob {
  readonly type: 'job';
  readonly state: EndedState;
  readonly digest?: string;
  /** Bytes of the source. */
  readonly bytes?: number;
  readonly width?: number;
  readonly height?: number;
  /** Format of the source. */
  readonly format?: string;
  /** Number of frames or pages of a source with more than one. */
  readonly pages?: number;
  /** Numbers of the pages that the variants ask for, unless they ask for the first one alone. */
  readonly renderedPages?: readonly number[];
  /** True when at least one output has only the first of these frames or pages. */
  readonly firstOnly?: true;
  readonly dominantColor?: string;
  readonly duplicateOf?: string;
  /** True when no picture was decoded: the bytes had been rendered before. */
  readonly reused?: true;
  /** True when its outputs show what could be read of a damaged picture, whichever batch made them. */
  readonly degraded?: true;
  /** The names of the outputs have a tag, because another source has the plain names. */
  readonly tagged?: true;
  readonly outputs?: readonly Output[];
  /** True when the outputs belong to the source in `duplicateOf` and count there. */
  readonly borrowed?: true;
  /** What a real run would do. */
  readonly would?: 'render' | 'reuse' | 'duplicate' | 'refuse' | 'unchanged';
  /** Paths that a real run would write. */
  readonly wouldWrite?: readonly string[];
  /**
   * Paths of outputs where a file exists that the index does not know. A real run keeps the file if it has the bytes of the
   * output. Otherwise the job fails.
   */
  readonly wouldKeep?: readonly string[];
  readonly error?: Failure;
  readonly ms?: Timings;
  readonly attempts?: number;
}

/** A job failed with an error that may pass, and is tried again. */
export interface JobRetrying extends AboutJob {
  readonly type: 'job.retrying';
  readonly attempts: number;
  /** Milliseconds until the next attempt. */
  readonly delay: number;
  readonly error: Failure;
}

/** A source has left the batch, because it is no longer a source or not a source yet. */
export type Withdrawn = AboutJob & { readonly type: 'withdrawn' };

export type PassedOverEvent = AboutBatch & {
  readonly type: 'passed_over';
  readonly path: string;
  readonly reason: PassedOver;
  /** What a file with the reason `unsupported_format` is by its name, for example `camera raw`. */
  readonly kind?: string;
};

export interface Warning {
  readonly type: 'warning';
  /** Absent when no batch has begun yet. */
  readonly batch?: string;
  /** The code of the error that ended the batch, if the warning is about that error. */
  readonly code?: string;
  readonly message: string;
  readonly fix?: string;
}

/** A watch has walked all files and waits for new ones. Emitted again when `folders` or `by` changes. */
export interface Watching extends AboutBatch {
  readonly type: 'watching';
  /** Number of named folders and all folders below them. */
  readonly folders: number;
  /** `events`: the system reports changes. `polling`: it cannot in at least one folder, so the watch walks often. */
  readonly by: 'events' | 'polling';
}

/** A watch has walked through everything again, in `ms` milliseconds. `changed` of the `sources` were new or changed. */
export interface Scanned extends AboutBatch {
  readonly type: 'scanned';
  readonly sources: number;
  readonly changed: number;
  readonly ms: number;
}

/** A source keeps changing. The watch takes it once it has settled. */
export type StillWritten = AboutSource & { readonly type: 'still_written' };

/**
 * Outputs were removed: an output under a former spelling of the same name. With `--mirror` also outputs of a removed source,
 * of variants that the preset no longer has, and under tagged names of a source that now has its plain names. With `dryRun`
 * they would be removed.
 */
export interface Removed extends AboutSource {
  readonly type: 'removed';
  readonly paths: readonly string[];
  readonly dryRun?: true;
}

/** No more images begin. Images in work finish. */
export interface Stopping extends AboutBatch {
  readonly type: 'stopping';
  readonly finishing: number;
  readonly dropping: number;
}

export interface BatchFinished extends AboutBatch, Partial<Aside> {
  readonly type: 'batch.finished';
  readonly state: BatchState;
  readonly counts: Counts;
  readonly passedOver: number;
  /** Number of damaged sources that have outputs. */
  readonly degraded: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Milliseconds from start to end. */
  readonly ms: number;
  /** Set when the batch was stopped before its end: by the caller's signal, or by a request in the index. */
  readonly stopped?: 'signal' | 'request';
  readonly dryRun?: true;
}

/** A reader of events: one way to show a person or a program what happens. Never throws. */
export interface Report {
  event(event: Event): void;
  /** Restores the terminal. May be called twice. */
  close(): void;
}

/** The capabilities of one text stream. */
export interface Style {
  readonly tty: boolean;
  readonly color: boolean;
  /** False where only ASCII is safe. */
  readonly unicode: boolean;
  /** The current number of columns. The window may change its size at any time. */
  columns(): number;
}
