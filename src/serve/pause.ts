import type { Clock } from '../core/clock.ts';
import { failureOf, ImgtoolError } from '../errors.ts';
import type { ServeContext } from './context.ts';

/** Milliseconds of the first pause after an error that no image could avoid. Each further pause is twice as long. */
const FIRST = 1_000;
const LONGEST = 30_000;

export type Pauses = ReturnType<typeof openPauses>;

/** How long the worker waits while store or storage cannot be used. */
export function openPauses(clock: Clock, emit: ServeContext['emit'], halted: AbortSignal) {
  let next = FIRST;
  let until = Number.NEGATIVE_INFINITY;

  /** Begins a pause, and returns its milliseconds. Images that fail together share one. */
  function begin(error: ImgtoolError): number {
    if (until <= clock.now()) {
      until = clock.now() + next;
      emit({ type: 'paused', delay: next, error: failureOf(error) });
      next = Math.min(2 * next, LONGEST);
    }
    return until - clock.now();
  }

  return {
    /** Milliseconds that are left of the pause. */
    left: () => Math.max(0, until - clock.now()),
    begin,
    /** Something succeeded: the next pause is short again. */
    reset(): void {
      next = FIRST;
    },
    /** Repeats a step of the store until it succeeds. Errors: those that another try cannot help, or once halted. */
    async persist<T>(step: () => Promise<T>): Promise<T> {
      for (;;) {
        try {
          return await step();
        } catch (thrown) {
          if (!(thrown instanceof ImgtoolError) || !thrown.fatal || halted.aborted) throw thrown;
          await sleep(clock, begin(thrown), halted);
        }
      }
    },
  };
}

/** Resolves after this many milliseconds, or once the signal aborts. */
export function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(ms, done);
    signal.addEventListener('abort', done, { once: true });
  });
}
