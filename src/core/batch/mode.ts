import type { Batch, BatchOptions, Job, JobEvent } from '../../model.ts';
import type { Index, NewBatch, Renderer, ResumeChoice, Sources, Storage } from '../../ports.ts';
import type { MemoryBudget } from '../queue/memory-budget.ts';
import type { RetryPolicy } from '../queue/retry-policy.ts';
import type { TakeIn } from './intake.ts';

/** The opened ports of a batch. */
export interface Ports {
  readonly index: Index;
  readonly storage: Storage;
  readonly sources: Sources;
  readonly renderer: Renderer;
  /** Memory for pictures in work, shared by all batches of an engine. */
  readonly budget: MemoryBudget;
  /** Resolves once the reader of events has caught up. */
  readonly ready?: () => Promise<void>;
  /** Hex id of this run. It is part of the names of its staged files. */
  readonly run: string;
}

export interface NewWork {
  readonly command: NewBatch['command'];
  /** As the user gave them. */
  readonly inputs: readonly string[];
  readonly cwd: string;
  readonly options: BatchOptions;
}

/** A batch that ended early or failed in part, and the part to do again. */
export interface OldWork extends ResumeChoice {
  readonly batch: Batch;
}

/** What differs between process, watch, resume and fix. */
export interface BatchMode {
  readonly takeIn: TakeIn;
  readonly retryPolicy: RetryPolicy;
  /** Is called for each job that has ended, or that waits for another attempt. */
  readonly ended?: (job: Job, how: JobEvent['state'] | 'retrying' | 'withdrawn') => void;
  /** Whether the batch ends only when it is stopped. Such a batch is finished if no job waits then. */
  readonly isEndless: boolean;
  /** Whether outputs are removed when their sources are gone. */
  readonly mirror?: boolean;
  /** Whether the batch continues one that another run began. */
  readonly isResumed?: boolean;
}
