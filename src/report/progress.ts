import { BatchTotals } from '../model/totals.ts';
import type { Event, JobEvent } from '../model.ts';

/**
 * The fixed cost of an image, in bytes of source. Measured with the preset `web`: 28 kB of 424 x 318 pixels take 25 ms
 * of a core, and a photograph of 1 MB takes 210 ms. The line through both begins at 20 ms, which is the time of 100 kB.
 */
const EACH = 100_000;
/** The time left is known after this many milliseconds, or after this share of the work. */
const LONG_ENOUGH = 2_000;
const FAR_ENOUGH = 0.02;
/**
 * The estimate adds this many rendered images of average size to those that ended. Otherwise the first few images alone
 * would decide how much of the rest must be rendered, and these can be ten copies of the largest image.
 */
const FEW = 4;

/** The finished variants of an image. */
interface FinishedPart {
  readonly done: number;
  readonly total: number;
  readonly weight: number;
  /** When the last one was finished. */
  readonly at: number;
}

export type Progress = ReturnType<typeof createProgress>;

/**
 * A batch's totals, its speed and the time it still takes. Weighs each image by its bytes and a fixed cost; unchanged images
 * and waiting copies weigh nothing. Finished variants of an image in work count as their share of the image. `now` is in
 * milliseconds since any fixed moment. Memory does not grow with the batch.
 */
export function createProgress() {
  const totals = new BatchTotals();
  const { inWork } = totals;
  const imagePace = createPace(15_000);
  const weightPace = createPace(60_000);
  /** The weights of duplicates that wait for the job with the same bytes. */
  const waiting = new Map<string, number>();
  /** The finished variants of images in work. */
  const parts = new Map<string, FinishedPart>();
  /** Weights: of all sources, of those that cost nothing, of the others that ended, and of the rendered ones. */
  let [all, free, ended, rendered] = [0, 0, 0, 0];
  /** The part of `free` that waited for another job with the same bytes. */
  let copied = 0;
  let [countFree, countEnded, countRendered] = [0, 0, 0];
  let jobs = 1;
  let hasBytes = true;
  let begun: number | null = null;

  const weigh = (count: number, bytes = 0) => count * EACH + (hasBytes ? bytes : 0);

  function settle(event: JobEvent, now: number): void {
    const weight = weigh(1, event.bytes);
    // The walk alone found out that the source is unchanged.
    const costsNothing = event.state === 'unchanged' && !inWork.has(event.source);
    const hasWaited = waiting.delete(event.source);
    if (hasWaited || costsNothing) {
      free += weight;
      countFree++;
      if (hasWaited) copied += weight;
      return;
    }
    weightPace.before(now - unfinished(now), rendered);
    setPart(event.source, undefined);
    ended += weight;
    countEnded++;
    if (event.state !== 'completed' || event.reused) return;
    rendered += weight;
    countRendered++;
  }

  /** The finished variants of an image count as done and rendered, until the image as a whole ends or begins again. */
  function setPart(source: string, part: FinishedPart | undefined): void {
    const more = (part?.weight ?? 0) - (parts.get(source)?.weight ?? 0);
    ended += more;
    rendered += more;
    if (part === undefined) parts.delete(source);
    else parts.set(source, part);
  }

  const weightOfWaiting = () => [...waiting.values()].reduce((sum, weight) => sum + weight, 0);

  /** The weight of everything that costs something. */
  const whole = () => all - free - weightOfWaiting();

  /** The weight still to do: all that is in work, and of the rest the share that had to be rendered so far. */
  function rest(): number {
    const total = totals.total ?? 0;
    const left = Math.max(0, whole() - ended);
    const countLeft = Math.max(1, total - countFree - waiting.size - countEnded);
    const inHand = left * Math.min(1, inWork.size / countLeft);
    const few = (FEW * all) / Math.max(1, total);
    const met = ended + copied + weightOfWaiting();
    // Where nothing is rendered, every image that ends counts with its own cost.
    const share = rendered > 0 ? (rendered + few) / (met + few) : 1;
    return inHand + (left - inHand) * share;
  }

  /** The part of the elapsed milliseconds that went into images and variants that have not ended. */
  function unfinished(now: number): number {
    let ages = 0;
    for (const [source, since] of inWork) ages += now - (parts.get(source)?.at ?? since);
    // Without a finished variant, nobody knows how far an image is.
    const most = begun === null ? 0 : (now - begun) / (parts.size < inWork.size ? 2 : 1);
    return Math.min(most, ages / Math.max(jobs, inWork.size));
  }

  /** Weight per second of rendered images. Where nothing is rendered (a renamed folder), of all that ended. */
  function weightRate(now: number, from: number): number | null {
    const at = now - unfinished(now);
    const count = parts.size + (rendered > 0 ? countRendered : countEnded);
    const places = Math.min(jobs, (totals.total ?? jobs) - countFree - waiting.size);
    const isEnough = now - from >= LONG_ENOUGH || ended >= FAR_ENOUGH * whole();
    if (count < places || !isEnough || at <= from) return null;
    const late = rendered > 0 ? weightPace.rate(at, rendered) : null;
    return late ?? ((rendered > 0 ? rendered : ended) / (at - from)) * 1000;
  }

  /** Runs before the totals change. */
  function weighEvent(event: Event, now: number): void {
    if (event.type === 'batch.started' || event.type === 'total') {
      if (event.type === 'batch.started') {
        jobs = event.jobs;
        hasBytes = !event.resumed;
        begun = now;
        imagePace.before(now, totals.done);
      }
      all = weigh(event.total ?? 0, event.bytes);
    } else if (event.type === 'job.started') {
      if (countEnded === 0 && inWork.size === 0) begun = now;
      waiting.delete(event.source);
      weightPace.before(now - unfinished(now), rendered);
    } else if (event.type === 'job.progress') {
      const { source, done, total, share, bytes } = event;
      weightPace.before(now - unfinished(now), rendered);
      setPart(source, { done, total, weight: share * weigh(1, bytes), at: now });
    } else if (event.type === 'job.retrying' || event.type === 'withdrawn') {
      setPart(event.source, undefined);
    } else if (event.type === 'job.waiting') {
      setPart(event.source, undefined);
      waiting.set(event.source, weigh(1, event.bytes));
    } else if (event.type === 'job') {
      imagePace.before(now, totals.done);
      settle(event, now);
    }
  }

  return {
    totals,
    /** The finished variants of images in work, by source. */
    parts: parts as ReadonlyMap<string, FinishedPart>,
    /** Images per second over the last 15 s; null too early to say. */
    rate: (now: number) => imagePace.rate(now, totals.done),
    /** The share of the work that is done, from 0 to 1; null while the walk is still running. */
    share(): number | null {
      if (totals.total === null) return null;
      const most = whole();
      return most <= 0 ? 1 : Math.min(1, ended / most);
    },
    /** Whether all images have ended and the batch removes outputs. */
    isRemoving: () => totals.removed > 0 && totals.total !== null && totals.done >= totals.total,
    /** Milliseconds left; null when unknown. */
    left(now: number): number | null {
      if (totals.total === null || begun === null) return null;
      const todo = rest();
      // Unchanged images alone give no speed.
      if (todo === 0) return 0;
      const perSecond = weightRate(now, begun);
      if (perSecond === null) return null;
      const most = (todo / perSecond) * 1000;
      return most === 0 ? 0 : Math.max(1, most - unfinished(now));
    },
    event(event: Event, now: number): void {
      weighEvent(event, now);
      totals.add(event, now);
    },
  };
}

/** A rate over the last `window` milliseconds. With few samples, it also counts older ones. */
export function createPace(window: number) {
  const samples: { readonly at: number; readonly done: number }[] = [];
  return {
    /** Runs before `done` grows. */
    before(now: number, done: number): void {
      const last = samples.at(-1);
      if (last !== undefined && now - last.at < 500) return;
      samples.push({ at: now, done });
      while (samples.length > 8 && now - (samples[1]?.at ?? now) > window) samples.shift();
    },
    /** `done` per second; null too early to say. */
    rate(now: number, done: number): number | null {
      const first = samples[0];
      if (first === undefined || now - first.at < 300 || done === first.done) return null;
      return ((done - first.done) / (now - first.at)) * 1000;
    },
  };
}
