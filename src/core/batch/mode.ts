import type { Batch, BatchOptions, Job, JobEvent } from '../../model.ts';
import type { Index, NewBatch, Renderer, ResumeChoice, Sources, Storage } from '../../ports.ts';
import type { MemoryBudget } from '../queue/memory-budget.ts';
import type { RetryPolicy } from '../queue/retry-policy.ts';
import type { TakeIn } from './intake.ts';

/** The opened ports a batch works with. */
export interface Ports {
  readonly index: Index;
  readonly storage: Storage;
  readonly sources: Sources;
  readonly renderer: Renderer;
  /** Memory for pictures in work, shared by all batches of an engine. */
  readonly budget: MemoryBudget;
  /** Resolves once the reader of events has caught up. */
  readonly ready?: () => Promise<void>;
  /** Hex id of this run, as its staged files carry it. */
  readonly run: string;
}

export interface NewWork {
  readonly command: NewBatch['command'];
  /** As given, for the record. */
  readonly inputs: readonly string[];
  readonly cwd: string;
  readonly options: BatchOptions;
}

/** A batch that has ended early, or failed in part, and what of it is done again. */
export interface OldWork extends ResumeChoice {
  readonly batch: Batch;
}

/** Where a batch gets its jobs from and how it deals with those that fail. */
export interface BatchMode {
  readonly takeIn: TakeIn;
  readonly retryPolicy: RetryPolicy;
  /** Hears of each job that has ended, or is to be tried again. */
  readonly ended?: (job: Job, how: JobEvent['state'] | 'retrying' | 'withdrawn') => void;
  /** Whether it goes on until it is stopped, which then cuts nothing short as long as nothing waits. */
  readonly isEndless: boolean;
  /** Whether outputs are removed once no source has them any more. */
  readonly mirror?: boolean;
  /** Whether it goes on with a batch that another run had begun. */
  readonly isResumed?: boolean;
}
