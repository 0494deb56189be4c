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
