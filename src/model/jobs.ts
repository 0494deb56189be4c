import type { Format } from '../variants/formats.ts';
import type { BatchOptions } from './options.ts';
import type { RenderProgress } from './picture.ts';
import type { PixelSize } from './records.ts';

/** The states of jobs that have not ended, and of those that have, in the order in which counts are shown. */
export const ACTIVE_STATES = ['pending', 'processing', 'retrying'] as const;
export const ENDED_STATES = ['completed', 'duplicate', 'unchanged', 'failed', 'cancelled'] as const;
export const JOB_STATES = [...ACTIVE_STATES, ...ENDED_STATES] as const;
export type JobState = (typeof JOB_STATES)[number];
export type EndedState = (typeof ENDED_STATES)[number];
export type Counts = Readonly<Record<JobState, number>>;
export type BatchState = 'running' | 'finished' | 'cancelled' | 'interrupted';

/** One source x one preset, in one batch. */
export interface Job {
  readonly id: number;
  readonly batch: string;
  /** Absolute path. */
  readonly source: string;
  /** The path as the user would write it: below the root as given. */
  readonly given: string;
  /** Path below the root, with `/`. */
  readonly relative: string;
  /** Which of the candidate names (core/names.ts) this source got. */
  readonly naming: number;
  /** Number of earlier attempts. */
  readonly attempts: number;
}

/** Milliseconds spent. */
export type Timings = Readonly<Record<'digest' | 'decode' | 'encode' | 'commit' | 'total', number>>;

export type Failure = { readonly code: string; readonly message: string; readonly fix?: string };

/** An output in events and in `status`. */
export interface Output extends PixelSize {
  readonly variant: string;
  readonly format: Format;
  readonly path: string;
  readonly bytes: number;
  /** Number of frames of an output that is an animation. */
  readonly pages?: number;
  /** What the job did for it: `kept` means that the file was there. Absent where another source owns it, and in history. */
  readonly action?: 'rendered' | 'linked' | 'copied' | 'kept';
  /** Set when somebody has edited the file, and the job left it. The other fields are of the file that imgtool made. */
  readonly edited?: true;
}

export interface Batch {
  readonly id: string;
  readonly command: 'process' | 'watch' | 'upload';
  readonly state: BatchState;
  /** As given on the command line. For an upload, the owner of the images. */
  readonly inputs: readonly string[];
  /** Absolute paths. For an upload, `out` is its bucket and `cwd` is empty. */
  readonly out: string;
  readonly cwd: string;
  readonly preset: string;
  /** Images at a time. 0 for an upload: the service decides. */
  readonly jobs: number;
  readonly options: BatchOptions;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly finishedAt: number | null;
  readonly counts: Counts;
  readonly passedOver: number;
  /** Null until the walk has ended, and for batches of an earlier version. */
  readonly aside: Aside | null;
  /** Number of damaged sources that have outputs. */
  readonly degraded: number;
  /** Bytes of the sources settled so far and of the outputs made for them. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly walkEnded: boolean;
}

/** What was passed over by reason, and pictures and videos of formats that no walk takes by kind: `camera raw`, `PDF`. */
export interface Aside {
  readonly passedOverBy: Readonly<Partial<Record<PassedOver, number>>>;
  readonly passedOverKinds: Readonly<Record<string, number>>;
}

/** The finished variants of a job in work, and their share of its work from 0 to 1. */
export interface JobPart extends RenderProgress {
  readonly total: number;
}

/** A job in the history. */
export interface JobRecord {
  /** The job's number in the index. Jobs are taken in the order of these numbers. */
  readonly id: number;
  /** For an upload: the id of the image, `/`, and the name of its file. */
  readonly source: string;
  readonly state: JobState;
  /** Null while no variant is finished, and for jobs that are not in work. */
  readonly part: JobPart | null;
  readonly attempts: number;
  readonly bytes: number | null;
  readonly digest: string | null;
  readonly width: number | null;
  readonly height: number | null;
  /** Format of the source, and the number of its frames or pages. */
  readonly format: string | null;
  readonly pages: number | null;
  readonly dominantColor: string | null;
  readonly duplicateOf: string | null;
  readonly reused: boolean;
  /** Whether the picture is damaged, and its readable part was accepted. */
  readonly degraded: boolean;
  readonly outputs: readonly Output[];
  readonly ms: Timings | null;
  readonly error: Failure | null;
  readonly finishedAt: number | null;
}

/** Why a walk does not take a file or a folder. */
export type PassedOver = UnfitFile | 'staged' | 'index' | 'output' | 'excluded' | 'system_folder';

/**
 * The reasons that a watch reports for a new file. Its owner takes the file for a picture, so it must not disappear without
 * a word. The other reasons are normal and too frequent.
 */
export const SURPRISING: ReadonlySet<PassedOver> = new Set([
  'not_regular',
  'name_not_utf8',
  'symlink',
  'unsupported_format',
]);

type UnfitFile =
  | 'hidden'
  | 'symlink'
  | 'partial_download'
  | 'name_not_utf8'
  | 'not_regular'
  | 'unsupported_format'
  | 'no_picture_name';
