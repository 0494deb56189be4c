import type { BatchState, Counts, Failure, Output, PassedOver, Timings } from './jobs.ts';
import type { ProfileEvent } from './profile.ts';

/** A thing that happened, as data. Terminal, plain text, JSON lines, summary and library all read these. */
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

/** The walk goes on: sources found so far. */
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
  /** A batch of before is gone on with: `total` is what is left of it, `bytes` of it unknown. */
  readonly resumed?: true;
  readonly dryRun?: true;
}

/** The walk has ended: what there is in all. */
export interface TotalEvent {
  readonly type: 'total';
  readonly batch: string;
  readonly total: number;
  readonly bytes: number;
}

/** An image is in work from here on. Said again when it goes on after it waited or was overtaken. */
export interface JobStarted {
  readonly type: 'job.started';
  readonly batch: string;
  readonly source: string;
}

/** An image is not in work any more: it has the bytes of one that is, and ends with that; or is then in work itself. */
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
  readonly state: 'completed' | 'duplicate' | 'unchanged' | 'failed' | 'cancelled';
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
  /** True when these are left to the source it is a duplicate of, and count with that. */
  readonly borrowed?: true;
  /** What a dry run would do with it. */
  readonly would?: 'render' | 'reuse' | 'duplicate' | 'refuse' | 'unchanged';
  /** Paths a dry run would write. */
  readonly wouldWrite?: readonly string[];
  readonly error?: Failure;
  readonly ms?: Timings;
  readonly attempts?: number;
}

/** It failed in a way that may pass, and is tried again. */
export interface JobRetrying {
  readonly type: 'job.retrying';
  readonly batch: string;
  readonly source: string;
  readonly attempts: number;
  /** Milliseconds until the next attempt. */
  readonly delay: number;
  readonly error: Failure;
}

/** A source is none any more, or none yet: it was taken out of the batch. */
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
  /** Of the error that ended the batch, if that is what it tells of. */
  readonly code?: string;
  readonly message: string;
  readonly fix?: string;
}

/** A watch has gone through what was there and waits for what lands; said again when how it hears of it changes. */
export interface Watching {
  readonly type: 'watching';
  readonly batch: string;
  /** Folders below the ones that were named, these included. */
  readonly folders: number;
  /** `events`: the system tells of changes. `polling`: it cannot, for some folders at least, and walks are frequent. */
  readonly by: 'events' | 'polling';
}

/** A watch has compared all folders with what it knows. */
export interface Scanned {
  readonly type: 'scanned';
  readonly batch: string;
  /** Sources met, and how many of them were new or changed. */
  readonly sources: number;
  readonly changed: number;
  /** Milliseconds. */
  readonly ms: number;
}

/** A source that a watch has met keeps changing: it is taken once it rests. */
export interface StillWritten {
  readonly type: 'still_written';
  readonly batch: string;
  readonly source: string;
}

/**
 * Outputs were removed: those of a source that is gone, those under tagged names of a source that has its plain names
 * now (both `--mirror`), or one under a former spelling of the same name.
 */
export interface Removed {
  readonly type: 'removed';
  readonly batch: string;
  readonly source: string;
  readonly paths: readonly string[];
}

/** No more images are started; those in work finish. */
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

/** A reader of events: one way of telling a person or a program what happens. Never throws. */
export interface Report {
  event(event: Event): void;
  /** Restores the terminal. May be called twice. */
  close(): void;
}

/** How text may look on one stream. */
export interface Style {
  readonly tty: boolean;
  readonly color: boolean;
  /** False where only ASCII is safe. */
  readonly unicode: boolean;
  /** Columns now, read anew each time since a window changes its size. */
  columns(): number;
}
