/** The glossary: the words of the program as types. Types only; nothing here runs. */

import type { Format } from './variants/fields.ts';
import type { Preset } from './variants/presets.ts';

export type * from './model/events.ts';
export type * from './model/picture.ts';
export type * from './model/profile.ts';
export type { Format, Position, Variant } from './variants/fields.ts';
export type { Preset } from './variants/presets.ts';

/** What a file system says of a regular file without reading it. */
export interface FileFacts {
  /** Bytes. */
  readonly size: number;
  /** Nanoseconds since 1970, decimal; a string, since neither JSON nor a double holds it. */
  readonly mtime: string;
  readonly ino: string;
}

/** The same of a source. */
export interface SourceFacts extends FileFacts {
  /**
   * When the file or its inode last changed, in nanoseconds as `mtime`: no program can set it. Null where it is not
   * known, or must not be compared.
   */
  readonly ctime: string | null;
}

/** What the index remembers of a source. Without a ctime, it was recorded before that was looked at. */
export interface SourceRecord extends SourceFacts {
  /** Absolute path. */
  readonly path: string;
  readonly digest: string;
  /** Pixels of the upright picture. */
  readonly width: number;
  readonly height: number;
  readonly format: string;
  /** `#rrggbb`; null when no variant of it was rendered yet. */
  readonly dominantColor: string | null;
  /** Milliseconds since 1970 at which the facts were taken. */
  readonly seenAt: number;
}

/** An output that was made: its owner, what it was made from and how, and the file as it was left. */
export interface OutputRecord extends FileFacts {
  /** Absolute path: the storage key. */
  readonly path: string;
  /** Absolute path of the source that owns it. */
  readonly source: string;
  readonly variant: string;
  readonly settings: string;
  /** Digest of the source's bytes it was rendered from. */
  readonly digest: string;
  readonly format: Format;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Lower-case hex SHA-256 of the output's own bytes. */
  readonly checksum: string;
  /** Versions of the libraries that encoded it. */
  readonly encoder: string;
}

/** A name held for a source under which nothing is made yet; with a digest, a duplicate that was skipped. */
export interface Reservation {
  readonly path: string;
  readonly source: string;
  readonly checksum: null;
  readonly settings: string | null;
  readonly digest: string | null;
  readonly variant: string | null;
}

export const JOB_STATES = [
  'pending',
  'processing',
  'retrying',
  'completed',
  'duplicate',
  'unchanged',
  'failed',
  'cancelled',
] as const;
export type JobState = (typeof JOB_STATES)[number];
export type Counts = Readonly<Record<JobState, number>>;
export type BatchState = 'running' | 'finished' | 'cancelled' | 'interrupted';

/** One source x one preset, in one batch. */
export interface Job {
  readonly id: number;
  readonly batch: string;
  /** Absolute path. */
  readonly source: string;
  /** The path as the user would write it: under the root as it was given. */
  readonly given: string;
  /** Path below the root, with `/`. */
  readonly relative: string;
  /** Which of the candidate names (core/names.ts) this source got. */
  readonly naming: number;
  /** Times it was started before. */
  readonly attempts: number;
}

/** Milliseconds spent. */
export interface Timings {
  readonly digest: number;
  readonly decode: number;
  readonly encode: number;
  readonly commit: number;
  readonly total: number;
}

export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly fix?: string;
}

/** An output as events and `status` tell it. */
export interface Output {
  readonly variant: string;
  readonly format: Format;
  readonly path: string;
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
}

export interface Batch {
  readonly id: string;
  readonly command: 'process' | 'watch';
  readonly state: BatchState;
  /** As given on the command line. */
  readonly inputs: readonly string[];
  /** Absolute paths. */
  readonly out: string;
  readonly cwd: string;
  readonly preset: string;
  /** Images at a time. */
  readonly jobs: number;
  readonly options: BatchOptions;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly finishedAt: number | null;
  readonly counts: Counts;
  readonly passedOver: number;
  /** Bytes of the sources settled so far and of the outputs made for them. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly walkEnded: boolean;
}

/** A job as history keeps it. */
export interface JobRecord {
  readonly source: string;
  readonly state: JobState;
  readonly attempts: number;
  readonly bytes: number | null;
  readonly digest: string | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly dominantColor: string | null;
  readonly duplicateOf: string | null;
  readonly reused: boolean;
  /** Its picture is damaged and was accepted as far as it could be read. */
  readonly degraded: boolean;
  readonly outputs: readonly Output[];
  readonly ms: Timings | null;
  readonly error: Failure | null;
  readonly finishedAt: number | null;
}

/** Why a file met in a walk is no job. */
export type PassedOver =
  | 'hidden'
  | 'symlink'
  | 'partial_download'
  | 'name_not_utf8'
  | 'staged'
  | 'index'
  | 'output'
  | 'excluded'
  | 'unreadable'
  | 'not_regular';

/** Everything about a batch that its jobs need to know; stored with it, so that it can be resumed. */
export interface BatchOptions {
  readonly preset: Preset;
  /** Absolute path. */
  readonly out: string;
  /** As given, for events. */
  readonly outGiven: string;
  readonly template: string;
  readonly duplicates: 'link' | 'copy' | 'skip';
  readonly force: boolean;
  readonly dryRun: boolean;
  /** Images at a time. */
  readonly jobs: number;
  /** Bytes of memory that pictures in work may take together. */
  readonly memory: number;
  /** Bytes of memory that one picture may take: `memory` where that was given, else more. */
  readonly memoryCap: number;
  readonly limits: Limits;
  readonly walk: Walk;
  readonly list: PathList | null;
}

/** A list of files: its path or `-` for standard input, and whether NUL ends its entries. */
export interface PathList {
  readonly from: string;
  readonly nul: boolean;
}

/** How inputs are walked, as a batch remembers it. */
export interface Walk {
  /** Every regular file, not only those with a picture's extension. */
  readonly allFiles: boolean;
  readonly followSymlinks: boolean;
  /** A source whose ctime alone has changed counts as unchanged. */
  readonly ignoreCtime: boolean;
  /** Globs on the root-relative path; empty includes everything. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/** What a source may ask of the machine. */
export interface Limits {
  /** Pixels of one frame. */
  readonly pixels: number;
  readonly allowSvg: boolean;
  readonly lenient: boolean;
  /** Milliseconds one image may take. */
  readonly timeout: number;
}

/** What becomes a job: the inputs and the rules of the walk. */
export interface WalkRules extends Walk {
  /** Absolute paths never descended into or taken, with the reason told. */
  readonly out: string;
  readonly index: string;
}

/** How a watch watches. */
export interface WatchOptions {
  /** Milliseconds a file must be as it is before it is taken. */
  readonly settle: number;
  /** Milliseconds between two walks through everything, give or take a quarter. */
  readonly scanInterval: number;
  /** Take what is there at the start. */
  readonly existing: boolean;
  /** Wait for no word from the system: walk often. */
  readonly poll: boolean;
  /** Remove the outputs of sources that are gone. */
  readonly mirror: boolean;
  /** End once nothing is left to do. */
  readonly once: boolean;
}
