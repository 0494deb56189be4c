import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../../src/core/clock.ts';

/** A clock that stands still between calls of `advance`. */
export interface MadeUpClock extends Clock {
  /** Number of timers that are set. */
  readonly waiting: number;
  /** Moves the clock by this many milliseconds. Each timer fires at its time, and its effects end before the next one. */
  advance(milliseconds: number): Promise<void>;
}

/** More timers than this in one `advance` mean an endless loop. */
const MOST = 1_000;

export function makeClock(start = 1_000): MadeUpClock {
  const calls = new Set<{ readonly at: number; readonly call: () => void }>();
  let now = start;
  return {
    now: () => now,
    after(milliseconds, call) {
      const one = { at: now + milliseconds, call };
      calls.add(one);
      return () => void calls.delete(one);
    },
    get waiting() {
      return calls.size;
    },
    async advance(milliseconds) {
      const end = now + milliseconds;
      for (let called = 0; ; called++) {
        await turn();
        const [first] = [...calls].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
        if (first === undefined) break;
        if (called === MOST) throw new Error(`more than ${MOST} calls of the clock in ${milliseconds} ms`);
        calls.delete(first);
        now = Math.max(now, first.at);
        first.call();
      }
      now = end;
    },
  };
}
