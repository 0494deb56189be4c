import type { Clock } from '../clock.ts';

/** Paths with possible changes. Each path is kept once, until it is checked. */
export interface ChangeEvents {
  readonly size: number;
  /** False when so many changes came recently that the system may have dropped some. */
  keep(path: string): boolean;
  take(): string[];
}

/** Changes. The system silently drops events that do not fit into its queue; four times this number fill the queue. */
const FLOOD = 4_096;
/** Milliseconds in which these changes count as recent. */
const RECENTLY = 1_000;

export function openChangeEvents(clock: Clock): ChangeEvents {
  const paths = new Set<string>();
  let since = clock.now();
  let count = 0;
  return {
    get size() {
      return paths.size;
    },
    keep(path) {
      if (clock.now() - since > RECENTLY) [since, count] = [clock.now(), 0];
      paths.add(path);
      return ++count % FLOOD !== 0;
    },
    take() {
      const taken = [...paths];
      paths.clear();
      return taken;
    },
  };
}
