import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../../src/core/clock.ts';

/** A clock that stands still until it is told to go on. */
export interface MadeUpClock extends Clock {
  /** Calls that are waited for. */
  readonly waiting: number;
  /** Goes on by so many milliseconds: each call comes at its time, and what it leads to happens before the next. */
  advance(milliseconds: number): Promise<void>;
}

/** More calls than this within one `advance` are a loop that does not wait for anything. */
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
