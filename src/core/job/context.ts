import type { BatchOptions, Event, FileFacts, Job, SourceRecord, Unstamped } from '../../model.ts';
import type { Index, Opened, Renderer, Run, Sources, Staged, Storage } from '../../ports.ts';
import type { MemoryBudget } from '../queue/memory-budget.ts';

export type Emit = (event: Event) => void;

/** The opened ports of a batch. */
export interface Ports {
  readonly index: Index;
  readonly storage: Storage;
  readonly sources: Sources;
  readonly renderer: Renderer;
  /** Memory for pictures in work, shared by all batches of an engine. */
  readonly budget: MemoryBudget;
  /** Resolves once the reader of events has caught up. No new work is taken before. */
  readonly ready?: () => Promise<void>;
  /** Hex id of this run. It is part of the names of its staged files. */
  readonly run: string;
}

/** What a job works with: its batch's options and the opened ports. */
export interface JobContext extends Required<Omit<Ports, 'run'>> {
  readonly run: Run;
  readonly options: BatchOptions;
  /** The settings digest of each variant, in the order of the variants. */
  readonly settings: readonly string[];
  /** Paths where a dead run may have left outputs that the index does not know. */
  readonly suspects: ReadonlySet<string>;
  /** Whether a source with tagged names takes its plain names once they are free. */
  readonly takesPlainNames: boolean;
  /** In a repair: the files that were found wrong, by path. It replaces no other file that was changed. Else null. */
  readonly repairs: ReadonlyMap<string, FileFacts> | null;
  /** Staged files that could not be removed yet. */
  readonly leftBehind: Staged[];
  readonly emit: (event: Unstamped) => void;
  /** Aborts when no more work may begin. */
  readonly signal: AbortSignal;
}

/** The work on one job. */
export interface JobWork extends JobContext {
  readonly job: Job;
  /** The record of its source. */
  readonly source: SourceRecord;
  /** Whether the index did not know the source before. */
  readonly isNew: boolean;
  /** Its source, if that was read. */
  readonly opened: Opened | undefined;
  /** All files that were staged for the job. At its end, the job discards those that are left. */
  readonly staged: Staged[];
  /** Milliseconds. */
  readonly started: number;
  /** Closes the source: its outputs are rendered. */
  readonly letGo: () => void;
}

/** A job that begins, for the first time or again. */
export interface Begun {
  readonly job: Job;
  /** The known record of its bytes. While the file is unchanged, the job need not read it. */
  readonly learnt?: SourceRecord | undefined;
  /** Whether `job.started` was already reported. */
  readonly isReported: boolean;
  /** How often the job may still begin again, because other processes made some of its outputs in the meantime. */
  readonly looks: number;
}

/** A job that must begin again, in a new slot. */
export interface Requeued {
  /** `waiting`: after a job with the same bytes. `again`: at once, because files under its outputs' names changed. */
  readonly type: 'waiting' | 'again';
  readonly begun: Begun & { readonly learnt: SourceRecord };
}
