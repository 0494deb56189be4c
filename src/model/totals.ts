import type { BatchFinished, BatchStarted, Event, JobEvent, Stopping, Watching } from './events.ts';
import { FailureGroups, isLasting } from './failures.ts';
import { Histogram } from './histogram.ts';
import { type Aside, type Counts, ENDED_STATES, JOB_STATES, type Output, type PassedOver } from './jobs.ts';

/** How many damaged sources, sources with tagged names, and unknown files are named. */
const NAMED = 3;

export function totalOf(counts: Counts): number {
  return JOB_STATES.reduce((sum, state) => sum + counts[state], 0);
}

/** Jobs that ended and were not cancelled. */
export function doneOf(counts: Pick<Counts, 'completed' | 'duplicate' | 'unchanged' | 'failed'>): number {
  return counts.completed + counts.duplicate + counts.unchanged + counts.failed;
}

export function bytesOf(outputs: readonly Output[]): number {
  return outputs.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Jobs that have not ended. */
export function leftOf(counts: Counts): number {
  return counts.pending + counts.processing + counts.retrying;
}

/**
 * The sum of a batch's events. Reports, summaries and a batch whose index has failed all read these totals. Their
 * memory does not grow with the number of jobs that have ended.
 */
export class BatchTotals {
  started: BatchStarted | null = null;
  finished: BatchFinished | null = null;
  stopping: Stopping | null = null;
  /** The latest state of a watch; null before its first walk has ended. */
  watching: Watching | null = null;
  /** Jobs of the batch; null while the walk is still running. */
  total: number | null = null;
  /** Bytes of the sources found so far. */
  bytes = 0;
  readonly ended = { completed: 0, duplicate: 0, unchanged: 0, failed: 0, cancelled: 0 };
  /** Sources in work and the time at which each was started, oldest first. */
  readonly inWork = new Map<string, number>();
  readonly retrying = new Set<string>();
  passedOver = 0;
  readonly passedOverBy = new Map<PassedOver, number>();
  /** The files of these that are pictures of unsupported formats, by kind. */
  readonly passedOverKinds = new Map<string, number>();
  /** Bytes of the sources that have outputs, and bytes of these outputs. */
  bytesIn = 0;
  bytesOut = 0;
  /** Output files by what was done. A file that belongs to another source's job counts there alone. */
  readonly outputs = { rendered: 0, linked: 0, copied: 0, kept: 0 };
  /** Output files that were removed, or that a dry run would remove. */
  removed = 0;
  /** Sources with several frames or pages of which some output has only the first, by format. */
  readonly severalPages = new Map<string, number>();
  /** The pages of a TIFF that are rendered, counted from 1. */
  renderedPages: readonly number[] = [1];
  reused = 0;
  /** The number of jobs whose outputs have tagged names, and their first sources. Unchanged jobs do not count. */
  tagged = 0;
  readonly taggedSources: string[] = [];
  degraded = 0;
  /** The first of the damaged sources that have outputs. */
  readonly damaged: string[] = [];
  /** The failed jobs by cause; `ended.failed` counts all of them. */
  readonly failures = new FailureGroups();
  /** Failed jobs that a retry alone cannot help. */
  lasting = 0;
  /** Milliseconds that each completed job took. */
  readonly times = new Histogram();
  /** Milliseconds over all completed jobs; `io` is reading, digesting and committing. */
  readonly spent = { decode: 0, encode: 0, io: 0 };
  /** What a dry run would do: jobs by decision, the files it would write, and the jobs that have such files. */
  readonly would = new Map<NonNullable<JobEvent['would']>, number>();
  wouldWrite = 0;
  writing = 0;
  /** Files that the index does not know and that a real run may keep, and the first of their paths. */
  wouldKeep = 0;
  readonly unknown: string[] = [];
  #walked = 0;
  #withdrawn = 0;

  /** Sources found so far, without the withdrawn ones. */
  get found(): number {
    return Math.max(this.#walked, this.total ?? 0) - this.#withdrawn;
  }

  /** The fields of `batch.finished` that say what was passed over. */
  get aside(): Aside {
    return {
      passedOverBy: Object.fromEntries(this.passedOverBy),
      passedOverKinds: Object.fromEntries(this.passedOverKinds),
    };
  }

  get done(): number {
    return ENDED_STATES.reduce((sum, state) => sum + this.ended[state], 0);
  }

  /** Output files, links included: their bytes add up to the size that a report shows. */
  get files(): number {
    return Object.values(this.outputs).reduce((sum, files) => sum + files, 0);
  }

  get counts(): Counts {
    const [processing, retrying] = [this.inWork.size, this.retrying.size];
    // The first jobs can end before the walk has reported their sources.
    const pending = Math.max(0, this.found - this.done - processing - retrying);
    return { pending, processing, retrying, ...this.ended };
  }

  /** A reader that adds each event, and passes it on. */
  counting(emit: (event: Event) => void): (event: Event) => void {
    return (event) => {
      this.add(event, performance.now());
      emit(event);
    };
  }

  /** Adds one event. `now` is in milliseconds since any fixed moment. */
  add(event: Event, now: number): void {
    if (event.type === 'walk') {
      this.#walked = event.found;
      this.bytes = event.bytes;
    } else if (event.type === 'batch.started') {
      this.started = event;
      this.total = event.total;
      this.bytes = Math.max(this.bytes, event.bytes);
    } else if (event.type === 'total') {
      this.total = event.total;
      this.bytes = event.bytes;
    } else if (event.type === 'job.started') {
      this.retrying.delete(event.source);
      if (!this.inWork.has(event.source)) this.inWork.set(event.source, now);
    } else if (event.type === 'job.waiting' || event.type === 'job.retrying') {
      this.inWork.delete(event.source);
      if (event.type === 'job.retrying') this.retrying.add(event.source);
    } else if (event.type === 'withdrawn') {
      this.#withdrawn++;
      this.#leave(event.source);
    } else if (event.type === 'job') {
      this.#leave(event.source);
      this.#end(event);
    } else if (event.type === 'passed_over') {
      this.passedOver++;
      increment(this.passedOverBy, event.reason);
      if (event.kind !== undefined) increment(this.passedOverKinds, event.kind);
    } else if (event.type === 'removed') this.removed += event.paths.length;
    else if (event.type === 'stopping') this.stopping = event;
    else if (event.type === 'watching') this.watching = event;
    else if (event.type === 'batch.finished') this.finished = event;
  }

  #leave(source: string): void {
    this.inWork.delete(source);
    this.retrying.delete(source);
  }

  #end(event: JobEvent): void {
    const {
      state,
      bytes = 0,
      outputs = [],
      borrowed,
      would,
      wouldWrite = [],
      wouldKeep = [],
      error,
      ms,
    } = event;
    this.ended[state]++;
    if (state === 'failed') this.failures.add(event);
    if (error !== undefined && isLasting(error)) this.lasting++;
    if (would !== undefined) increment(this.would, would);
    this.wouldWrite += wouldWrite.length;
    if (wouldWrite.length > 0) this.writing++;
    this.wouldKeep += wouldKeep.length;
    this.unknown.push(...wouldKeep.slice(0, NAMED - this.unknown.length));
    if (state === 'failed' || state === 'cancelled') return;
    if (event.outputs !== undefined) this.bytesIn += bytes;
    if (!borrowed) {
      for (const { action = 'rendered' } of outputs) this.outputs[action]++;
      this.bytesOut += bytesOf(outputs);
    }
    if (state !== 'unchanged' && (event.firstOnly || event.renderedPages)) {
      increment(this.severalPages, event.format ?? '');
    }
    if (event.renderedPages !== undefined) this.renderedPages = event.renderedPages;
    if (event.tagged) {
      this.tagged++;
      if (this.taggedSources.length < NAMED) this.taggedSources.push(event.source);
    }
    if (event.degraded) {
      this.degraded++;
      if (this.damaged.length < NAMED) this.damaged.push(event.source);
    }
    if (state !== 'completed') return;
    if (event.reused) this.reused++;
    if (ms === undefined) return;
    this.times.add(ms.total);
    this.spent.decode += ms.decode;
    this.spent.encode += ms.encode;
    this.spent.io += ms.digest + ms.commit;
  }
}

function increment<Key>(numbers: Map<Key, number>, key: Key): void {
  numbers.set(key, (numbers.get(key) ?? 0) + 1);
}
