import { ImgtoolError } from '../../errors.ts';
import type { Child } from './child.ts';

const TICK = 1000;

/** The time limit of one picture. */
export interface Deadline {
  /** Awaits the work of a child and kills the child when the time is used up. */
  over<T>(child: Child, work: () => Promise<T>): Promise<T>;
}

/**
 * Counts ticks of one second instead of the clock: a late tick, after the laptop slept or the parent was stopped,
 * counts once. `timeout` in milliseconds.
 */
export function createDeadline(timeout: number): Deadline {
  let left = Math.max(1, Math.ceil(timeout / TICK));
  return {
    async over(child, work) {
      const ticks = setInterval(() => {
        left--;
        if (left === 0) child.kill(late(timeout));
      }, TICK);
      try {
        return await work();
      } finally {
        clearInterval(ticks);
      }
    },
  };
}

const late = (timeout: number): ImgtoolError =>
  new ImgtoolError('timeout', `took longer than ${timeout / 1000} s`, {
    fix: 'give it more time with {{timeout}}, or leave it out with {{exclude}}',
  });
