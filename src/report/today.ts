import type { Progress } from './progress.ts';
import { SETTLED } from './totals.ts';

type Figures = Pick<Progress, 'counts' | 'bytesIn' | 'bytesOut'>;

/** What a run has done since local midnight. */
export interface Today {
  /** Told the time before each event and each look: at midnight the figures start from nothing; whether they just did. */
  turn(now: number): boolean;
  figures(): Figures;
}

/** The difference to where the run stood as the day began. `now`: milliseconds since 1970. */
export function createToday(progress: Progress, now: number): Today {
  let day = new Date(now).toDateString();
  let start = copyOf(progress);
  return {
    turn(at) {
      const next = new Date(at).toDateString();
      if (next === day) return false;
      day = next;
      start = copyOf(progress);
      return true;
    },
    figures() {
      const counts = { ...progress.counts };
      for (const state of SETTLED) counts[state] -= start.counts[state];
      return {
        counts,
        bytesIn: progress.bytesIn - start.bytesIn,
        bytesOut: progress.bytesOut - start.bytesOut,
      };
    },
  };
}

function copyOf({ counts, bytesIn, bytesOut }: Progress): Figures {
  return { counts: { ...counts }, bytesIn, bytesOut };
}
