/** A source of time. Tests replace it. */
export interface Clock {
  /** Milliseconds since an arbitrary moment. They never go back. */
  now(): number;
  /** Calls `call` after this many milliseconds. The returned function cancels the call. */
  after(milliseconds: number, call: () => void): () => void;
}

const STARTED = Date.now() - performance.now();

/** Milliseconds since 1970, counted from the system time at process start. Unlike `Date.now` they never jump. */
export function steadyNow(): number {
  return STARTED + performance.now();
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after(milliseconds, call) {
    const timer = setTimeout(call, milliseconds);
    return () => clearTimeout(timer);
  },
};

export type Wakeup = ReturnType<typeof openWakeup>;

/** Several callers wake one waiting caller. A wake before the wait is kept. */
export function openWakeup(clock = systemClock) {
  let isWoken = false;
  let resolve: (() => void) | undefined;
  return {
    /** Resolves to true after a wake, or to false after `within` milliseconds. */
    async wait(within?: number): Promise<boolean> {
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
