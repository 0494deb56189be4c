/** Time, so that tests can bring their own. */
export interface Clock {
  /** Milliseconds since any moment, never going back. */
  now(): number;
  /** Calls after so many milliseconds, unless the function returned was called before. */
  after(milliseconds: number, call: () => void): () => void;
}

const STARTED = Date.now() - performance.now();

/** Milliseconds since 1970 by the clock as it was when the process started: unlike `Date.now` they never jump. */
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
