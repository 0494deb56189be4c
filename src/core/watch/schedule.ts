import type { Clock } from '../clock.ts';

/** When a watch walks next, through everything or through folders without change events. */
export interface Schedule {
  isDue(): boolean;
  /** Milliseconds until the walk is due. */
  left(): number;
  /** Makes the next walk due as soon as the last walk allows: a change may have been missed. */
  hurry(): void;
  /** A walk begins. Changes missed from now on require another walk. */
  walking(): void;
  /** A walk took this many milliseconds. */
  walked(took: number): void;
}

/** Walks use at most a tenth of the time. */
const REST = 10;

/** The interval is multiplied by a random factor from 0.75 to 1.25: many watches should not walk at the same moment. */
export function openSchedule(interval: number, clock: Clock): Schedule {
  let due = clock.now();
  let soonest = due;
  let isHurried = false;
  return {
    isDue: () => clock.now() >= due,
    left: () => Math.max(0, due - clock.now()),
    walking() {
      isHurried = false;
    },
    hurry() {
      isHurried = true;
      due = Math.min(due, Math.max(soonest, clock.now()));
    },
    walked(took) {
      const now = clock.now();
      soonest = now + REST * took;
      const jittered = interval * (0.75 + 0.5 * Math.random());
      due = isHurried ? soonest : Math.max(soonest, now + jittered);
    },
  };
}
