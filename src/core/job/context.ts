import type { BatchOptions, Event, Job, SourceRecord } from '../../model.ts';
import type { Index, Renderer, Run, Sources, Staged, Storage } from '../../ports.ts';
import type { MemoryBudget } from '../queue/memory-budget.ts';

/** Where facts come from. */
export interface FactPorts {
  readonly index: Index;
  readonly storage: Storage;
  readonly sources: Sources;
  readonly options: BatchOptions;
  /** Of each variant, in their order. */
  readonly settings: readonly string[];
}

/** What a job works with: its batch's options and the opened ports. */
export interface JobContext extends FactPorts {
  readonly run: Run;
  readonly renderer: Renderer;
  /** Names under which a run that died may have left outputs without telling the index. */
  readonly suspects: ReadonlySet<string>;
  /** Whether outputs that no source has any more are removed. */
  readonly mirror: boolean;
  /** Lets pictures be decoded as far as there is memory for them. */
  readonly budget: MemoryBudget;
  /** Staged files that could not be removed when they should have been. */
  readonly leftBehind: Staged[];
  readonly emit: (event: Event) => void;
  /** Resolves once the reader of events has caught up: no new work is taken before. */
  readonly ready: () => Promise<void>;
  /** Aborts when no more is to be begun. */
  readonly signal: AbortSignal;
}

/** A job as it is begun: for the first time, or again. */
export interface Begun {
  readonly job: Job;
  /** What is known of its bytes, which spares reading them as long as its file is the same. */
  readonly learnt?: SourceRecord | undefined;
  /** It was told of as begun before. */
  readonly isTold: boolean;
  /**
   * How often it may still be looked at again. Another process may make the same outputs at the same time, one after
   * the other: each look finds more of them.
   */
  readonly looks: number;
}

/** A job that is to be begun again, in a place of its own. */
export interface Requeued {
  /**
   * `waiting`: once another, which renders the same bytes right now, has ended. `again`: at once, since what was found
   * under its outputs' names has changed meanwhile.
   */
  readonly type: 'waiting' | 'again';
  readonly begun: Begun & { readonly learnt: SourceRecord };
}
