import { type Clock, openWakeup, systemClock } from '../core/clock.ts';
import { withNewerFields } from '../core/job/settings-digest.ts';
import { asImgtoolError } from '../errors.ts';
import type { Claim } from '../ports.ts';
import { type Attempt, beginAttempt } from './attempt.ts';
import type { Worker } from './context.ts';
import { aboutImage } from './events.ts';
import type { ImageTools } from './job.ts';
import { possibleKeys } from './keys.ts';
import { openPauses, sleep } from './pause.ts';
import { tryRemoval } from './remove.ts';

/** The only worker of a store that one process holds. */
const WORKER = 'embedded';
/** Images taken beyond those that can be rendered at once, so that no child is ever idle. */
const AHEAD = 2;
/** Most images in work for each child: those that are being stored come on top. */
const MOST_IN_WORK = 4;
/** Most images that wait for the end of others with the same bytes, and take no place from the rest. */
const MOST_WAITING = 200;
/** Milliseconds between two questions for cancelled images. */
const HEARTBEAT = 1_000;
/** Milliseconds between two looks without a wake: another command may have made images wait again. */
const SLOW_POLL = 5_000;

/** Takes images that wait, and processes `options.jobs` at a time until it is stopped. */
export function startWorker(tools: ImageTools, clock: Clock = systemClock): Worker {
  const { store, objects, emit, options } = tools;
  const wakeup = openWakeup(clock);
  const halt = new AbortController();
  const pauses = openPauses(clock, emit, halt.signal);
  const attempts = new Set<Attempt>();
  /** The end of all work on the same bytes of an owner. */
  const sameBytes = new Map<string, Promise<unknown>>();
  /** Cancels the wakes that are due. */
  const due = new Set<() => void>();
  let isStopping = false;
  /** After a crash one image at a time is taken, until one ends: others are not blamed if it ends this process too. */
  let isCareful = false;
  let hearts: Promise<void> | undefined;
  const pulling = pull();

  async function pull(): Promise<void> {
    while (!isStopping) {
      try {
        await recover();
        break;
      } catch (thrown) {
        pauses.begin(asImgtoolError(thrown));
        await sleep(clock, pauses.left(), halt.signal);
      }
    }
    while (!isStopping) {
      try {
        const free = capacity();
        const claims = free > 0 ? await store.take(WORKER, free) : [];
        for (const claim of claims) begin(claim);
        // Some of these may only wait for others.
        if (claims.length > 0 && claims.length === free && capacity() > 0) continue;
      } catch (thrown) {
        pauses.begin(asImgtoolError(thrown));
      }
      await wakeup.wait(pauses.left() || SLOW_POLL);
    }
  }

  /** Cleans up after a process that is gone, before anything is processed. */
  async function recover(): Promise<void> {
    for (const image of await store.unended()) {
      const removal = objects.remove(await possibleKeys(store, image));
      const error = await tryRemoval(emit, `unfinished outputs of the image ${image.id}`, removal);
      if (error?.fatal) throw error;
    }
    const { waiting, crashed } = await store.recover();
    for (const image of crashed) {
      const { attempts: attempt, error, uploaded } = image;
      const none = { outputs: 0, outputBytes: 0, ms: null };
      const facts = { attempt, error, bytes: uploaded?.bytes ?? 0 };
      emit({ type: 'image.ended', ...aboutImage(image), state: 'failed', ...facts, ...none });
    }
    if (waiting + crashed.length > 0) emit({ type: 'recovered', images: waiting + crashed.length });
    isCareful = waiting > 0;
  }

  function capacity(): number {
    if (pauses.left() > 0) return 0;
    if (isCareful) return attempts.size === 0 ? 1 : 0;
    const steps = [...attempts].map(({ step }) => step);
    const waiting = steps.filter((step) => step === 'waiting').length;
    const rendering = steps.filter((step) => step === 'next' || step === 'opened').length;
    return Math.min(
      options.jobs + AHEAD - rendering,
      MOST_IN_WORK * options.jobs + AHEAD - (steps.length - waiting),
      MOST_WAITING - waiting,
    );
  }

  function begin(taken: Claim): void {
    const claim = { ...taken, preset: withNewerFields(taken.preset) };
    const bytes = `${claim.uploaded.digest} ${claim.owner}`;
    const before = sameBytes.get(bytes);
    const one = beginAttempt(tools, { pauses, moved: wakeup.wake, retryIn }, claim, before);
    attempts.add(one);
    const all = Promise.all([before, one.done]);
    sameBytes.set(bytes, all);
    all.then(() => {
      if (sameBytes.get(bytes) === all) sameBytes.delete(bytes);
    });
    one.done.then(() => {
      attempts.delete(one);
      isCareful = false;
      wakeup.wake();
    });
    // A claim that was taken while the worker stopped.
    if (isStopping) one.end('given_back');
    hearts ??= beat().finally(() => {
      hearts = undefined;
    });
  }

  /** Ends the work on images that another command cancelled or deleted. */
  async function beat(): Promise<void> {
    while (attempts.size > 0) {
      await sleep(clock, HEARTBEAT, halt.signal);
      if (halt.signal.aborted) return;
      // While the store cannot answer, the steps of the images report that.
      const lost = await store.lost([...attempts].map(({ claim }) => claim)).catch(() => []);
      drop((claim) => lost.some(({ id, taken }) => claim.id === id && claim.taken === taken));
    }
  }

  function drop(isLost: (claim: Claim) => boolean): Promise<void>[] {
    const dropped = [...attempts].filter(({ claim }) => isLost(claim));
    for (const one of dropped) one.end('dropped');
    return dropped.map(({ done }) => done);
  }

  function retryIn(ms: number): void {
    const cancel = clock.after(ms, () => {
      due.delete(cancel);
      wakeup.wake();
    });
    due.add(cancel);
  }

  return {
    wake: wakeup.wake,
    busy: () => attempts.size,
    async drop(images) {
      await Promise.all(drop(({ id }) => images.includes(id)));
    },
    async stop(ms) {
      isStopping = true;
      wakeup.wake();
      for (const cancel of due) cancel();
      for (const one of attempts) if (one.step === 'waiting' || one.step === 'next') one.end('given_back');
      const cancel = clock.after(ms, () => {
        halt.abort();
        for (const one of attempts) one.end('given_back');
      });
      await pulling;
      while (attempts.size > 0) await Promise.all([...attempts].map(({ done }) => done));
      cancel();
      halt.abort();
      await hearts;
    },
  };
}
