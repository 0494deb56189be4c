import { type Clock, systemClock } from '../clock.ts';

/** Several callers wake one that waits. A wake that comes before the wait is kept. */
export interface Wakeup {
  /** Resolves when something woke it: true; or when the milliseconds are over: false. */
  wait(within?: number): Promise<boolean>;
  /** Wakes the one that waits. */
  wake(): void;
}

export function openWakeup(clock: Clock = systemClock): Wakeup {
  let told = false;
  let resolve: (() => void) | undefined;
  return {
    async wait(within) {
      if (!told) {
        let cancel = () => {};
        await new Promise<void>((done) => {
          resolve = done;
          if (within !== undefined) cancel = clock.after(within, done);
        });
        cancel();
        resolve = undefined;
      }
      const woken = told;
      told = false;
      return woken;
    },
    wake() {
      told = true;
      resolve?.();
    },
  };
}

/** What the pull loop and the rest of a batch tell each other. */
export interface Intake extends Wakeup {
  /** No more jobs will be added. */
  readonly ended: boolean;
}

/** An intake whose walk announces additions and the end. */
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
