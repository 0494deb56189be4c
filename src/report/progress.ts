import type { BatchStarted, Event, JobEvent, Stopping, Watching } from '../model.ts';
import { createEstimate } from './estimate.ts';
import { createPace } from './pace.ts';

/** Where a batch stands, gathered from its events in memory that does not grow with the batch. */
export interface Progress {
  readonly started: BatchStarted | null;
  /** Null while the walk is still running. */
  readonly total: number | null;
  /** Sources found so far, less those that were taken out again, and their bytes. */
  readonly found: number;
  readonly bytes: number;
  readonly done: number;
  readonly counts: Readonly<Record<JobEvent['state'], number>>;
  /** Sources that wait for another attempt. */
  readonly retrying: number;
  /** Bytes of the sources that have outputs, and of these. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Sources in work and since when, oldest first; without copies that wait for their originals. */
  readonly inWork: ReadonlyMap<string, number>;
  readonly stopping: Stopping | null;
  /** What was last said of the folders of a watch; null before its first walk has ended. */
  readonly watching: Watching | null;
  /** Images a second of late, over a quarter of a minute; null too early to say. */
  rate(now: number): number | null;
  /** How much of the work is done, from 0 to 1; null while the walk is still running. */
  share(): number | null;
  /** Milliseconds left; null when unknown. */
  left(now: number): number | null;
  event(event: Event, now: number): void;
}

export function createProgress(): Progress {
  const counts = { completed: 0, duplicate: 0, unchanged: 0, failed: 0, cancelled: 0 };
  const inWork = new Map<string, number>();
  const waiting = new Set<string>();
  const pace = createPace(15_000);
  const estimate = createEstimate(inWork);
  let started: BatchStarted | null = null;
  let stopping: Stopping | null = null;
  let watching: Watching | null = null;
  let total: number | null = null;
  let [found, withdrawn, bytes, done, bytesIn, bytesOut] = [0, 0, 0, 0, 0, 0];

  function settle(event: JobEvent, now: number): void {
    pace.before(now, done);
    done++;
    counts[event.state]++;
    inWork.delete(event.source);
    waiting.delete(event.source);
    if (event.bytes !== undefined && event.outputs !== undefined && event.outputs.length > 0) {
      bytesIn += event.bytes;
      if (!event.borrowed) bytesOut += event.outputs.reduce((sum, output) => sum + output.bytes, 0);
    }
  }

  return {
    get started() {
      return started;
    },
    get total() {
      return total;
    },
    get found() {
      return Math.max(found, total ?? 0) - withdrawn;
    },
    get bytes() {
      return bytes;
    },
    get done() {
      return done;
    },
    counts,
    get retrying() {
      return waiting.size;
    },
    get bytesIn() {
      return bytesIn;
    },
    get bytesOut() {
      return bytesOut;
    },
    inWork,
    get stopping() {
      return stopping;
    },
    get watching() {
      return watching;
    },
    rate: (now) => pace.rate(now, done),
    share: estimate.share,
    left: estimate.left,
    event(event, now) {
      estimate.event(event, now);
      if (event.type === 'walk') {
        [found, bytes] = [event.found, event.bytes];
      } else if (event.type === 'batch.started') {
        started = event;
        [total, bytes] = [event.total, Math.max(bytes, event.bytes)];
        pace.before(now, done);
      } else if (event.type === 'total') {
        [total, bytes] = [event.total, event.bytes];
      } else if (event.type === 'job.started') {
        waiting.delete(event.source);
        if (!inWork.has(event.source)) inWork.set(event.source, now);
      } else if (event.type === 'job.waiting') {
        inWork.delete(event.source);
      } else if (event.type === 'job.retrying') {
        inWork.delete(event.source);
        waiting.add(event.source);
      } else if (event.type === 'job') {
        settle(event, now);
      } else if (event.type === 'withdrawn') {
        withdrawn++;
        inWork.delete(event.source);
        waiting.delete(event.source);
      } else if (event.type === 'stopping') {
        stopping = event;
      } else if (event.type === 'watching') {
        watching = event;
      }
    },
  };
}
