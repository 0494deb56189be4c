import type { Clock } from '../clock.ts';

/** Paths at which something may have changed, each kept once until it is looked at. */
export interface ChangeEvents {
  readonly size: number;
  /** False when so many came of late that the system may have dropped some. */
  keep(path: string): boolean;
  take(): string[];
}

/** The system drops what does not fit into its queue without a word: four of these fill it. */
const FLOOD = 4_096;
/** Milliseconds within which they count. */
const OF_LATE = 1_000;

export function openChangeEvents(clock: Clock): ChangeEvents {
  const paths = new Set<string>();
  let since = clock.now();
  let heard = 0;
  return {
    get size() {
      return paths.size;
    },
    keep(path) {
      if (clock.now() - since > OF_LATE) [since, heard] = [clock.now(), 0];
      paths.add(path);
      return ++heard % FLOOD !== 0;
    },
    take() {
      const taken = [...paths];
      paths.clear();
      return taken;
    },
  };
}
