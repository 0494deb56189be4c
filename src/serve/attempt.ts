import { NO_TIME } from '../core/job/events.ts';
import { BATCH_RETRIES } from '../core/queue/retry-policy.ts';
import { shareRenderer } from '../core/queue/share.ts';
import { asImgtoolError, failureOf, type ImgtoolError, stoppedEarly, systemCode } from '../errors.ts';
import type { Claim, ImageEnd, Renderer } from '../ports.ts';
import { aboutImage } from './events.ts';
import { type ImageTools, processImage, removeUnrecorded } from './job.ts';
import { stagedKey } from './keys.ts';
import type { Pauses } from './pause.ts';

/** The system has no file for this process. That passes, and the image is not to blame. */
const OUT_OF_FILES = /^E[MN]FILE$/;

type AttemptStep = 'waiting' | 'next' | 'opened' | 'rendered';

/** Why an attempt has no end: the image was cancelled or deleted, or the worker cannot process it now. */
type Reason = 'dropped' | 'given_back';

/** An image in work. */
export interface Attempt {
  readonly claim: Claim;
  /** `waiting`: for the end of an image with the same bytes. `next`: for a child. `rendered`: only storing is left. */
  readonly step: AttemptStep;
  /** Ends the work at once. */
  readonly end: (reason: Reason) => void;
  /** Resolves once nothing is done for it any more. Never rejects. */
  readonly done: Promise<void>;
}

/** What attempts have from the worker. */
interface Shared {
  readonly pauses: Pauses;
  /** An attempt has reached its next step, so more images may be taken. */
  readonly moved: () => void;
  /** The next attempt at this image is due in so many milliseconds. */
  readonly retryIn: (ms: number) => void;
}

/** Begins an attempt at an image, after `before`: the end of the work on the same bytes. */
export function beginAttempt(
  tools: ImageTools,
  { pauses, moved, retryIn }: Shared,
  claim: Claim,
  before: Promise<unknown> | undefined,
): Attempt {
  const { store, emit } = tools;
  const aborter = new AbortController();
  const { signal } = aborter;
  const about = aboutImage(claim);
  const { attempt } = claim;
  const shared = shareRenderer(tools.renderer);
  const renderer: Renderer = {
    ...shared,
    open: (source, limits, variants) => shared.open(source, limits, variants, { begin }),
  };
  let step: AttemptStep = before === undefined ? 'next' : 'waiting';
  let why: Reason = 'given_back';
  let isStarted = false;

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

  function end(reason: Reason): void {
    if (signal.aborted) return;
    why = reason;
    aborter.abort();
    shared.kill();
  }

  function reached(now: AttemptStep): void {
    step = now;
    moved();
  }

  async function work(): Promise<void> {
    if (before !== undefined) {
      await Promise.race([before, aborted(signal)]);
      reached('next');
    }
    if (signal.aborted) return letGo(why);
    const started = performance.now();
    const processing = processImage({ ...tools, renderer, claim, signal, reached, settle });
    const processed = await processing.catch(async (thrown: unknown) =>
      failed(await causeOf(asImgtoolError(thrown)), performance.now() - started),
    );
    if (!processed) return;
    if (processed.outcome === 'settled') {
      pauses.reset();
      return ended(processed.end);
    }
    if (processed.outcome === 'gone') await removeUnrecorded(tools, claim);
    emit({ type: 'image.dropped', ...about });
  }

  /** Without the storage everything fails, and the image is not to blame. */
  async function causeOf(error: ImgtoolError): Promise<ImgtoolError> {
    try {
      await tools.objects.locate(claim.staged ?? '');
      // A child that cannot write does not know whether anything can be written.
      if (error.code === 'not_writable') await (await tools.objects.stage(stagedKey(claim.id))).discard();
      return error;
    } catch (cause) {
      return asImgtoolError(cause);
    }
  }

  /** A child is about to open the image. Errors: `cancelled`, when the image was cancelled or has even ended meanwhile. */
  async function begin(): Promise<void> {
    if (!(await pauses.persist(() => store.begin(claim)))) {
      end('dropped');
      throw stoppedEarly();
    }
    // A picture is opened twice when decoding has to wait for memory.
    if (!isStarted) emit({ type: 'image.started', ...about, attempt });
    isStarted = true;
  }

  function settle(of: Claim, end: ImageEnd) {
    return pauses.persist(() => store.settle(of, end));
  }

  async function failed(error: ImgtoolError, total: number): Promise<void> {
    if (signal.aborted) return letGo(why);
    // A renderer that is closed rejects every image with `cancelled`.
    if (error.fatal || error.code === 'cancelled' || OUT_OF_FILES.test(systemCode(error.cause) ?? '')) {
      pauses.begin(error);
      return letGo('given_back');
    }
    const delay = await BATCH_RETRIES(error, attempt, async () => 0);
    const failure = failureOf(error);
    if (typeof delay === 'number') {
      if ((await settle(claim, { state: 'retrying', error: failure, delay })) !== 'settled')
        return letGo('dropped');
      emit({ type: 'image.retrying', ...about, attempt, delay, error: failure });
      return retryIn(delay);
    }
    const ms = { ...NO_TIME, total: Math.round(total) };
    const end = { state: 'failed', error: failure, ms } as const;
    if ((await settle(claim, end)) !== 'settled') return letGo('dropped');
    await removeUnrecorded(tools, claim);
    await ended(end);
  }

  /** Gives the image back, if it is still here. Another attempt at it waits for the end of this one. */
  async function letGo(reason: Reason): Promise<void> {
    await pauses.persist(() => store.giveBack([claim]));
    const left = await store.image('all', claim.id);
    if (left === undefined || left.outputs.length === 0) await removeUnrecorded(tools, claim);
    emit({ type: `image.${reason}`, ...about });
  }

  async function ended(end: Exclude<ImageEnd, { state: 'retrying' }>): Promise<void> {
    const outputs = 'outputs' in end ? end.outputs : [];
    emit({
      ...{ type: 'image.ended', ...about, state: end.state, attempt, bytes: claim.uploaded.bytes },
      ...{ outputs: outputs.length, outputBytes: outputs.reduce((sum, { bytes }) => sum + bytes, 0) },
      ...{ ms: end.ms, error: 'error' in end ? end.error : null },
    });
    // A step of its own: of the last two images of a batch, one surely ends it.
    if (await pauses.persist(() => store.endBatch(claim.batch)))
      emit({ type: 'batch.ended', batch: claim.batch });
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
