import { asImgtoolError, type ImgtoolError } from '../../errors.ts';
import type { JobContext } from '../job/context.ts';

/** Milliseconds between two checks for a request to stop the batch. */
const LOOK = 200;
/** Milliseconds that pictures in work have to finish after a stop. */
const GRACE = 10_000;

/** The abort reason of a batch that a user asked to stop. */
export const ASKED = 'asked';

/** When and why a batch must stop. */
export interface Stop {
  readonly signal: AbortSignal;
  /** The error of the index, if that is why the batch must stop. */
  readonly error: ImgtoolError | undefined;
  /** Call it once no picture is in work. */
  close(): void;
}

/** Aborts with the given signal, or on a request in the index. Kills the renderer `GRACE` milliseconds later. */
export function stopOf({ index, run, renderer, signal: given }: JobContext): Stop {
  const asked = new AbortController();
  let failed: ImgtoolError | undefined;
  let isClosed = false;
  const look = async () => {
    try {
      if (await index.isCancelAsked(run)) asked.abort(ASKED);
    } catch (error) {
      // Without this an idle watch would not notice for long that its index is gone.
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
