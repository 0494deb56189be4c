import type { BatchFinished, BatchStarted, Event, JobEvent, PassedOver } from '../model.ts';
import { createHistogram, type Histogram } from './histogram.ts';

/** What the closing summary tells, gathered while a batch runs in memory that does not grow with it. */
export interface Tally {
  readonly started: BatchStarted | null;
  readonly finished: BatchFinished | null;
  /** Images that ended by themselves, whatever came of them. */
  readonly done: number;
  /** Files that images in these states have of their own, links among them: those whose bytes are told as size. */
  readonly outputs: Readonly<Record<'completed' | 'duplicate' | 'unchanged', number>>;
  readonly reused: number;
  readonly degraded: number;
  /** The first failures; `failures` counts all. */
  readonly failed: readonly JobEvent[];
  readonly failures: number;
  readonly times: Histogram;
  /** Milliseconds over all images; `io` is reading with digesting and committing. */
  readonly spent: { readonly decode: number; readonly encode: number; readonly io: number };
  readonly passedOver: ReadonlyMap<PassedOver, number>;
  /** What a dry run would do: images by decision, and files that would be written. */
  readonly would: ReadonlyMap<NonNullable<JobEvent['would']>, number>;
  readonly wouldWrite: number;
  /** Images with such files. */
  readonly writing: number;
  event(event: Event): void;
}

const FAILURES_KEPT = 20;

export function createTally(): Tally {
  const spent = { decode: 0, encode: 0, io: 0 };
  const passedOver = new Map<PassedOver, number>();
  const would = new Map<NonNullable<JobEvent['would']>, number>();
  const failed: JobEvent[] = [];
  const outputs = { completed: 0, duplicate: 0, unchanged: 0 };
  const tally = { done: 0, reused: 0, degraded: 0, failures: 0, wouldWrite: 0, writing: 0 };
  const times = createHistogram();
  let started: BatchStarted | null = null;
  let finished: BatchFinished | null = null;

  function settle(event: JobEvent): void {
    if (event.state !== 'cancelled') tally.done++;
    if (event.state === 'failed') {
      tally.failures++;
      if (failed.length < FAILURES_KEPT) failed.push(event);
    }
    if (event.would !== undefined) {
      would.set(event.would, (would.get(event.would) ?? 0) + 1);
      const files = event.wouldWrite?.length ?? 0;
      tally.wouldWrite += files;
      if (files > 0) tally.writing++;
    }
    const { state } = event;
    if (state === 'failed' || state === 'cancelled') return;
    if (!event.borrowed) outputs[state] += event.outputs?.length ?? 0;
    if (state !== 'completed') return;
    if (event.reused) tally.reused++;
    if (event.degraded) tally.degraded++;
    if (event.ms === undefined) return;
    times.add(event.ms.total);
    spent.decode += event.ms.decode;
    spent.encode += event.ms.encode;
    spent.io += event.ms.digest + event.ms.commit;
  }

  return {
    get started() {
      return started;
    },
    get finished() {
      return finished;
    },
    get done() {
      return tally.done;
    },
    get reused() {
      return tally.reused;
    },
    get degraded() {
      return tally.degraded;
    },
    get failures() {
      return tally.failures;
    },
    get wouldWrite() {
      return tally.wouldWrite;
    },
    get writing() {
      return tally.writing;
    },
    outputs,
    failed,
    times,
    spent,
    passedOver,
    would,
    event(event) {
      if (event.type === 'batch.started') started = event;
      else if (event.type === 'batch.finished') finished = event;
      else if (event.type === 'passed_over') {
        passedOver.set(event.reason, (passedOver.get(event.reason) ?? 0) + 1);
      } else if (event.type === 'job') settle(event);
    },
  };
}
