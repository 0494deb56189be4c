import { type Clock, systemClock } from '../clock.ts';

/** Several callers wake one waiting caller. A wake before the wait is kept. */
export interface Wakeup {
  /** Resolves to true after a wake, or to false after `within` milliseconds. */
  wait(within?: number): Promise<boolean>;
  wake(): void;
}

export function openWakeup(clock: Clock = systemClock): Wakeup {
  let isWoken = false;
  let resolve: (() => void) | undefined;
  return {
    async wait(within) {
      if (!isWoken) {
        let cancel = () => {};
        await new Promise<void>((done) => {
          resolve = done;
          if (within !== undefined) cancel = clock.after(within, done);
        });
        cancel();
        resolve = undefined;
      }
      const woken = isWoken;
      isWoken = false;
      return woken;
    },
    wake() {
      isWoken = true;
      resolve?.();
    },
  };
}

/** How the walk of a batch signals its progress to the pull loop. */
export interface Intake extends Wakeup {
  /** No more jobs will be added. */
  readonly ended: boolean;
}

/** An intake for one walk. The walk calls `wake` after additions, and `end` at its end. */
export function announce(): Intake & { end(): void } {
  const { wait, wake } = openWakeup();
  let ended = false;
  return {
    get ended() {
      return ended;
    },
    wait,
    wake,
    end() {
      ended = true;
      wake();
    },
  };
}
