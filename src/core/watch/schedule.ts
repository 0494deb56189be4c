import type { Clock } from '../clock.ts';

/** When a watch walks next, through everything or through what nobody tells of. */
export interface Schedule {
  isDue(): boolean;
  /** Milliseconds until it is. */
  left(): number;
  /** Something may have been missed: as soon as the last walk allows. */
  hurry(): void;
  /** A walk begins: what is missed from here on asks for another. */
  walking(): void;
  /** A walk took so many milliseconds. */
  walked(took: number): void;
}

/** A walk may keep a core busy for no more than a tenth of the time. */
const REST = 10;

/** At random between three quarters and five quarters of the interval, so that many watches do not walk as one. */
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
