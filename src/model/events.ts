import type { BatchState, Counts, EndedState, Failure, Output, PassedOver, Timings } from './jobs.ts';
import type { ProfileEvent } from './profile.ts';

/** Something that happened, as data. Terminal, plain text, JSON lines, summary and library all read these events. */
export type Event =
  | WalkEvent
  | BatchStarted
  | TotalEvent
  | JobStarted
  | JobWaiting
  | JobEvent
  | JobRetrying
  | Withdrawn
  | PassedOverEvent
  | Warning
  | Watching
  | Scanned
  | StillWritten
  | Removed
  | Stopping
  | ProfileEvent
  | BatchFinished;

/** The progress of the walk: sources found so far. */
export interface WalkEvent {
  readonly type: 'walk';
  readonly found: number;
  readonly bytes: number;
}

export interface BatchStarted {
  readonly type: 'batch.started';
  readonly batch: string;
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
}

/** The walk has ended: the final totals. */
export interface TotalEvent {
  readonly type: 'total';
  readonly batch: string;
  readonly total: number;
  readonly bytes: number;
}

/** An image is in work from now on. Emitted again when the image continues after it waited or began again. */
export interface JobStarted {
  readonly type: 'job.started';
  readonly batch: string;
  readonly source: string;
}

/** An image is no longer in work: it waits for another image with the same bytes. */
export interface JobWaiting {
  readonly type: 'job.waiting';
  readonly batch: string;
  readonly source: string;
  /** Bytes of the source. */
  readonly bytes: number;
}

/** A job has ended. */
export interface JobEvent {
  readonly type: 'job';
  readonly batch: string;
  readonly source: string;
  readonly state: EndedState;
  readonly digest?: string;
  /** Bytes of the source. */
  readonly bytes?: number;
  readonly width?: number;
  readonly height?: number;
  readonly dominantColor?: string;
  readonly duplicateOf?: string;
  /** True when no picture was decoded: the bytes had been rendered before. */
  readonly reused?: true;
  /** True when a damaged picture was accepted by `--lenient`. */
  readonly degraded?: true;
  readonly outputs?: readonly Output[];
  /** True when the outputs belong to the source in `duplicateOf` and count there. */
  readonly borrowed?: true;
  /** What a real run would do. */
  readonly would?: 'render' | 'reuse' | 'duplicate' | 'refuse' | 'unchanged';
  /** Paths that a real run would write. */
  readonly wouldWrite?: readonly string[];
  readonly error?: Failure;
  readonly ms?: Timings;
  readonly attempts?: number;
}

/** A job failed with an error that may pass, and is tried again. */
export interface JobRetrying {
  readonly type: 'job.retrying';
  readonly batch: string;
  readonly source: string;
  readonly attempts: number;
  /** Milliseconds until the next attempt. */
  readonly delay: number;
  readonly error: Failure;
}

/** A source has left the batch, because it is no longer a source or not a source yet. */
export interface Withdrawn {
  readonly type: 'withdrawn';
  readonly batch: string;
  readonly source: string;
}

export interface PassedOverEvent {
  readonly type: 'passed_over';
  readonly path: string;
  readonly reason: PassedOver;
}

export interface Warning {
  readonly type: 'warning';
  /** The code of the error that ended the batch, if the warning is about that error. */
  readonly code?: string;
  readonly message: string;
  readonly fix?: string;
}

/** A watch has walked all files and waits for new ones. Emitted again when `folders` or `by` changes. */
export interface Watching {
  readonly type: 'watching';
  readonly batch: string;
  /** Number of named folders and all folders below them. */
  readonly folders: number;
  /** `events`: the system reports changes. `polling`: it cannot in at least one folder, so the watch walks often. */
  readonly by: 'events' | 'polling';
}

/** A watch has walked through everything again. */
export interface Scanned {
  readonly type: 'scanned';
  readonly batch: string;
  /** Number of sources met. `changed` of them were new or changed. */
  readonly sources: number;
  readonly changed: number;
  /** Milliseconds. */
  readonly ms: number;
}

/** A source keeps changing. The watch takes it once it has settled. */
export interface StillWritten {
  readonly type: 'still_written';
  readonly batch: string;
  readonly source: string;
}

/**
 * Outputs were removed: an output under a former spelling of the same name; with `--mirror` also outputs of a gone source,
 * and outputs under tagged names of a source that now has its plain names.
 */
export interface Removed {
  readonly type: 'removed';
  readonly batch: string;
  readonly source: string;
  readonly paths: readonly string[];
}

/** No more images begin. Images in work finish. */
export interface Stopping {
  readonly type: 'stopping';
  readonly batch: string;
  readonly finishing: number;
  readonly dropping: number;
}

export interface BatchFinished {
  readonly type: 'batch.finished';
  readonly batch: string;
  readonly state: BatchState;
  readonly counts: Counts;
  readonly passedOver: number;
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

/** The abilities of one text stream. */
export interface Style {
  readonly tty: boolean;
  readonly color: boolean;
  /** False where only ASCII is safe. */
  readonly unicode: boolean;
  /** The current number of columns. The window may change its size at any time. */
  columns(): number;
}
