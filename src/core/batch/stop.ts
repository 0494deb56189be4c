import { asImgtoolError, type ImgtoolError } from '../../errors.ts';
import type { JobContext } from '../job/context.ts';

/** Milliseconds between two looks whether somebody wants the batch to be stopped. */
const LOOK = 200;
/** Milliseconds that pictures in work have to finish once the batch was stopped. */
const GRACE = 10_000;

/** Why a batch stops that somebody asked to. */
export const ASKED = 'asked';

/** Tells that a batch is to stop. */
export interface Stop {
  readonly signal: AbortSignal;
  /** Set when it is because the index cannot be asked any more. */
  readonly error: ImgtoolError | undefined;
  /** Once nothing is in work any more. */
  close(): void;
}

/**
 * Aborts with the given signal, or when somebody asks for it in the index. Pictures that are still in work some time
 * after that are given up.
 */
export function stopOf({ index, run, renderer, signal: given }: JobContext): Stop {
  const asked = new AbortController();
  let failed: ImgtoolError | undefined;
  let isClosed = false;
  const look = async () => {
    try {
      if (await index.isCancelAsked(run)) asked.abort(ASKED);
    } catch (error) {
      // A watch with nothing to do would not notice for long that its index is gone.
      failed ??= asImgtoolError(error);
      asked.abort();
    }
    if (!signal.aborted && !isClosed) looking = setTimeout(look, LOOK);
  };
  const signal = AbortSignal.any([given, asked.signal]);
  let looking = setTimeout(look, LOOK);
  let grace: NodeJS.Timeout | undefined;
  const onAbort = () => {
    clearTimeout(looking);
    grace = setTimeout(() => renderer.kill(), GRACE);
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  return {
    signal,
    get error() {
      return failed;
    },
    close() {
      isClosed = true;
      clearTimeout(looking);
      clearTimeout(grace);
      signal.removeEventListener('abort', onAbort);
    },
  };
}
