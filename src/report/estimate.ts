import type { Event, JobEvent } from '../model.ts';
import { createPace } from './pace.ts';

/**
 * What each image costs beside its bytes, in bytes. Measured with the preset `web`: 25 ms of a core for 28 kB of
 * 424 x 318 pixels, 210 ms for a photograph of 1 MB; the line through both begins at 20 ms, as long as 100 kB take.
 */
const EACH = 100_000;
/** Milliseconds of work, or the part of it, after which there is something to judge by. */
const LONG_ENOUGH = 2_000;
const FAR_ENOUGH = 0.02;
/**
 * So many images are taken for rendered before any has ended, lest the first few decide what part of them costs next to
 * nothing: ten copies of the largest come at once.
 */
const FEW = 4;

/** How much of the work is done and how long the rest takes, where each image weighs its bytes and a bit more. */
interface Estimate {
  /** From 0 to 1, of what is neither unchanged nor a copy that waits; null while the walk is still running. */
  share(): number | null;
  /** Milliseconds left; null while unknown. */
  left(now: number): number | null;
  /** Told before `inWork` changes. */
  event(event: Event, now: number): void;
}

/** `inWork`: since when each source is in work. Memory does not grow with the batch. */
export function createEstimate(inWork: ReadonlyMap<string, number>): Estimate {
  const pace = createPace(60_000);
  const waiting = new Map<string, number>();
  /** Weights: of all sources, of those that cost nothing, of the others that ended, and of the rendered among these. */
  let [all, free, ended, rendered] = [0, 0, 0, 0];
  /** Of those that cost nothing since they waited for another with their bytes. */
  let copied = 0;
  let [total, countFree, countEnded, countRendered] = [0, 0, 0, 0];
  let jobs = 1;
  let isKnown = false;
  let hasBytes = true;
  let begun: number | null = null;

  const weigh = (count: number, bytes = 0) => count * EACH + (hasBytes ? bytes : 0);

  function settle(event: JobEvent, now: number): void {
    const weight = weigh(1, event.bytes);
    // The walk alone found it unchanged; or its bytes were another's.
    const costsNothing = event.state === 'unchanged' && !inWork.has(event.source);
    const hasWaited = waiting.delete(event.source);
    if (hasWaited || costsNothing) {
      free += weight;
      countFree++;
      if (hasWaited) copied += weight;
      return;
    }
    pace.before(now - unfinished(now), rendered);
    ended += weight;
    countEnded++;
    if (event.state !== 'completed' || event.reused) return;
    rendered += weight;
    countRendered++;
  }

  /** Without those that cost nothing. */
  function whole(): number {
    return all - free - weightOfWaiting();
  }

  function weightOfWaiting(): number {
    return [...waiting.values()].reduce((sum, weight) => sum + weight, 0);
  }

  /** What is still to be done: what is in work, and of what follows as much as of what was met so far had to be rendered. */
  function rest(): number {
    const left = Math.max(0, whole() - ended);
    const countLeft = Math.max(1, total - countFree - waiting.size - countEnded);
    const inHand = left * Math.min(1, inWork.size / countLeft);
    const few = (FEW * all) / Math.max(1, total);
    const met = ended + copied + weightOfWaiting();
    // Where nothing is rendered all that ends counts, and costs what it costs.
    const share = rendered > 0 ? (rendered + few) / (met + few) : 1;
    return inHand + (left - inHand) * share;
  }

  /** Milliseconds that went into what has not ended: as if all places had worked on that and nothing else. */
  function unfinished(now: number): number {
    let ages = 0;
    for (const since of inWork.values()) ages += now - since;
    const most = begun === null ? 0 : (now - begun) / 2;
    return Math.min(most, ages / Math.max(jobs, inWork.size));
  }

  /** Weight a second. Where nothing is rendered, as of a folder that was renamed, of whatever has ended. */
  function rate(now: number, from: number): number | null {
    const at = now - unfinished(now);
    const count = rendered > 0 ? countRendered : countEnded;
    const isEnough = now - from >= LONG_ENOUGH || ended >= FAR_ENOUGH * whole();
    if (count < jobs || !isEnough || at <= from) return null;
    const late = rendered > 0 ? pace.rate(at, rendered) : null;
    return late ?? ((rendered > 0 ? rendered : ended) / (at - from)) * 1000;
  }

  return {
    share() {
      if (!isKnown) return null;
      const most = whole();
      return most <= 0 ? 1 : Math.min(1, ended / most);
    },
    left(now) {
      const perSecond = begun === null ? null : rate(now, begun);
      if (!isKnown || perSecond === null) return null;
      const most = (rest() / perSecond) * 1000;
      return most === 0 ? 0 : Math.max(1, most - unfinished(now));
    },
    event(event, now) {
      if (event.type === 'batch.started' || event.type === 'total') {
        if (event.type === 'batch.started') {
          jobs = event.jobs;
          hasBytes = !event.resumed;
          begun = now;
        }
        isKnown = event.total !== null;
        total = event.total ?? 0;
        all = weigh(total, event.bytes);
      } else if (event.type === 'job.started') {
        if (countEnded === 0 && inWork.size === 0) begun = now;
        waiting.delete(event.source);
        pace.before(now - unfinished(now), rendered);
      } else if (event.type === 'job.waiting') {
        waiting.set(event.source, weigh(1, event.bytes));
      } else if (event.type === 'job') settle(event, now);
    },
  };
}
