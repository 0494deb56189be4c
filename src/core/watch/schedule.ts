import type { Clock } from '../clock.ts';

/** Walks use at most a tenth of the time. */
const REST = 10;

export type Schedule = ReturnType<typeof openSchedule>;

/**
 * Decides when the next walk of a watch is due. Walks through all folders and walks through folders without change
 * events have separate schedules. The interval is multiplied by a random factor from 0.75 to 1.25: many watches should
 * not walk at the same moment.
 */
export function openSchedule(interval: number, clock: Clock) {
  let due = clock.now();
  let soonest = due;
  let isHurried = false;
  return {
    isDue: () => clock.now() >= due,
    /** Milliseconds until the walk is due. */
    left: () => Math.max(0, due - clock.now()),
    /** A walk begins. Changes missed from now on require another walk. */
    walking() {
      isHurried = false;
    },
    /** Makes the next walk due as soon as the last walk allows: a change may have been missed. */
    hurry() {
      isHurried = true;
      due = Math.min(due, Math.max(soonest, clock.now()));
    },
    /** A walk took this many milliseconds. */
    walked(took: number) {
      const now = clock.now();
      soonest = now + REST * took;
      const jittered = interval * (0.75 + 0.5 * Math.random());
      due = isHurried ? soonest : Math.max(soonest, now + jittered);
    },
  };
}

/** Changes. The system silently drops events that do not fit into its queue; four times this number fill the queue. */
const FLOOD = 4_096;
/** Milliseconds in which these changes count as recent. */
const RECENTLY = 1_000;

/** Paths with possible changes. Each path is kept once, until it is checked. */
export function openChangeEvents(clock: Clock) {
  const paths = new Set<string>();
  let since = clock.now();
  let count = 0;
  return {
    isEmpty: () => paths.size === 0,
    /** Returns false when so many changes came recently that the system may have dropped some. */
    keep(path: string): boolean {
      if (clock.now() - since > RECENTLY) [since, count] = [clock.now(), 0];
      paths.add(path);
      return ++count % FLOOD !== 0;
    },
    take(): string[] {
      const taken = [...paths];
      paths.clear();
      return taken;
    },
  };
}
