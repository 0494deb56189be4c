import { BATCH_RETRIES } from '../core/queue/retry-policy.ts';
import { shareRenderer } from '../core/queue/share.ts';
import { asImgtoolError, failureOf, type ImgtoolError } from '../errors.ts';
import type { ImageState } from '../model.ts';
import type { Claim, ImageEnd } from '../ports.ts';
import type { ServeContext } from './context.ts';
import type { AboutImage } from './events.ts';
import { type ImageTools, processImage, removeUnrecorded } from './job.ts';
import type { Pauses } from './pause.ts';

type Step = 'waiting' | 'begun' | 'opened' | 'rendered';

/** A claim in work. */
export interface Hand {
  readonly claim: Claim;
  /** How far it is: behind an image with the same bytes, before a child has opened it, and so on. */
  readonly step: Step;
  /** Ends the work at once: the image was cancelled or deleted, or it is given back. */
  readonly end: (why: 'dropped' | 'given_back') => void;
  /** Resolves once nothing is done for it any more. Never rejects. */
  readonly done: Promise<void>;
}

/** What an attempt tells the worker. */
export interface Attempting {
  readonly pauses: Pauses;
  /** A step of a hand has changed, so more images may be taken. */
  readonly moved: () => void;
  /** Another attempt is due in so many milliseconds. */
  readonly retryIn: (ms: number) => void;
}

/** Begins an attempt at an image, after `before`: the end of the work on the same bytes. */
export function beginAttempt(
  tools: ImageTools,
  { pauses, moved, retryIn }: Attempting,
  claim: Claim,
  before: Promise<unknown> | undefined,
): Hand {
  const { store, emit } = tools;
  const aborter = new AbortController();
  const { signal } = aborter;
  const about = aboutOf(claim);
  const { attempt } = claim;
  const renderer = shareRenderer(tools.renderer);
  let step: Step = before === undefined ? 'begun' : 'waiting';
  let why: 'dropped' | 'given_back' = 'given_back';

  return {
    claim,
    get step() {
      return step;
    },
    end,
    done: work().catch((thrown: unknown) => {
      // The start of the next process makes the image wait again.
      const { message, fix } = asImgtoolError(thrown);
      emit({ type: 'warning', message: `${claim.name}: ${message}`, ...(fix === undefined ? {} : { fix }) });
    }),
  };

  function end(reason: typeof why): void {
    if (signal.aborted) return;
    why = reason;
    aborter.abort();
    renderer.kill();
  }

  function reached(now: Step): void {
    step = now;
    moved();
  }

  async function work(): Promise<void> {
    if (before !== undefined) {
      await Promise.race([before, aborted(signal)]);
      reached('begun');
      // It may have been cancelled, or even ended, meanwhile.
      if ((await pauses.persist(() => store.lost([claim]))).length > 0) end('dropped');
    }
    if (signal.aborted) return letGo();
    emit({ type: 'image.started', ...about, attempt });
    const started = performance.now();
    try {
      const { outcome, end: made } = await processImage({
        ...tools,
        renderer,
        claim,
        signal,
        reached,
        settle,
      });
      if (outcome === 'settled') {
        pauses.reset();
        return await ended(made);
      }
      if (outcome === 'gone') await removeUnrecorded(tools, claim);
      emit({ type: 'image.dropped', ...about });
    } catch (thrown) {
      await failed(asImgtoolError(thrown), performance.now() - started);
    }
  }

  function settle(of: Claim, end: ImageEnd) {
    return pauses.persist(() => store.settle(of, end));
  }

  async function failed(error: ImgtoolError, total: number): Promise<void> {
    if (signal.aborted) return letGo();
    // A renderer that is closed rejects every image with `cancelled`.
    if (error.fatal || error.code === 'not_writable' || error.code === 'cancelled') {
      pauses.begin(error);
      return letGo();
    }
    const delay = await BATCH_RETRIES(error, attempt, async () => 0);
    const failure = failureOf(error);
    if (typeof delay === 'number') {
      if ((await settle(claim, { state: 'retrying', error: failure, delay })) !== 'settled') return letGo();
      emit({ type: 'image.retrying', ...about, attempt, delay, error: failure });
      return retryIn(delay);
    }
    const ms = { digest: 0, decode: 0, encode: 0, commit: 0, total: Math.round(total) };
    const end: ImageEnd = { state: 'failed', error: failure, ms };
    if ((await settle(claim, end)) !== 'settled') return letGo();
    await removeUnrecorded(tools, claim);
    await ended(end);
  }

  /** Gives the image back, if it is still here. Removes what lies there if nobody will process it. */
  async function letGo(): Promise<void> {
    await pauses.persist(() => store.giveBack([claim]));
    const left = await store.image('all', claim.id);
    if (left === undefined || IS_UNWANTED.has(left.state)) await removeUnrecorded(tools, claim);
    emit({ type: why === 'dropped' ? 'image.dropped' : 'image.given_back', ...about });
  }

  async function ended(end: Exclude<ImageEnd, { state: 'retrying' }>): Promise<void> {
    const outputs = 'outputs' in end ? end.outputs : [];
    emit({
      ...{
        type: 'image.ended',
        ...about,
        state: end.state,
        attempt,
        bytes: claim.uploaded.bytes,
        ms: end.ms,
      },
      ...{ outputs: outputs.length, outputBytes: outputs.reduce((sum, { bytes }) => sum + bytes, 0) },
      error: 'error' in end ? end.error : null,
    });
    await endBatch(tools, claim.batch, pauses);
  }
}

/** The states in which an image has no outputs. */
const IS_UNWANTED: ReadonlySet<ImageState> = new Set<ImageState>(['failed', 'cancelled']);

/** Ends a batch of which nothing is open. It is a step of its own, so that of two last images one surely ends it. */
export async function endBatch({ store, emit }: ServeContext, batch: string, pauses?: Pauses): Promise<void> {
  const step = () => store.endBatch(batch);
  if (await (pauses?.persist(step) ?? step())) emit({ type: 'batch.ended', batch });
}

function aboutOf({ id, job, batch, owner, bucket }: Claim): AboutImage {
  return { id, job, batch, owner, bucket };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
