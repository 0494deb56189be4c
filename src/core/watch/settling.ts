import type { FileFacts, SourceFacts } from '../../model.ts';
import type { FoundSource } from '../../ports.ts';
import { CHUNK } from '../batch/intake.ts';
import type { Clock } from '../clock.ts';
import { sameFile } from '../job/decide.ts';

interface Resting {
  readonly found: FoundSource;
  readonly facts: SourceFacts;
  /** Clock times in milliseconds: of the first offer, and when the file has settled. */
  readonly since: number;
  readonly due: number;
  readonly isReported: boolean;
}

interface SettlingOptions {
  /** The settle time in milliseconds. */
  readonly settle: number;
  readonly clock: Clock;
  readonly statAll: (paths: readonly string[]) => Promise<(SourceFacts | null)[]>;
  /** Is called for each file that is gone or replaced by a link. */
  readonly lost: (found: FoundSource) => void;
  /** Is called once for each file that does not settle. */
  readonly restless: (found: FoundSource) => void;
}

/** Milliseconds after which a file that keeps changing is reported. */
const RESTLESS = 5_000;

export type Settling = ReturnType<typeof openSettling>;

/** Files that may still be written. A file has settled when size, mtime and inode stay the same for the settle time. */
export function openSettling({ settle, clock, statAll, lost, restless }: SettlingOptions) {
  // The settle time is the same for all files, so the map is in the order of due times.
  const resting = new Map<string, Resting>();

  const wait = (found: FoundSource, facts: SourceFacts, before?: Resting): void => {
    const now = clock.now();
    const since = before?.since ?? now;
    const isReported = before?.isReported === true || now - since > Math.max(RESTLESS, 4 * settle);
    resting.delete(found.source);
    resting.set(found.source, { found, facts, since, due: now + settle, isReported });
    if (isReported && before?.isReported === false) restless(found);
  };

  return {
    get size() {
      return resting.size;
    },
    /** Milliseconds until the next check is due. */
    left(): number {
      const [first] = resting.values();
      return first === undefined ? Number.POSITIVE_INFINITY : Math.max(0, first.due - clock.now());
    },
    /** Checks up to `CHUNK` files that are due. Returns the files that have settled. */
    async check(): Promise<FoundSource[]> {
      const now = clock.now();
      const due = [...resting.values()].filter((one) => one.due <= now).slice(0, CHUNK);
      const facts = await statAll(due.map(({ found }) => found.source));
      const rested: FoundSource[] = [];
      for (const [i, one] of due.entries()) {
        const found = { ...one.found, facts: facts[i] ?? null };
        // The file was offered again or dropped during the stat.
        if (resting.get(found.source) !== one) continue;
        if (found.facts !== null && !sameFile(found.facts, one.facts)) {
          wait(found, found.facts, one);
          continue;
        }
        resting.delete(found.source);
        if (found.facts === null) lost(found);
        else rested.push(found);
      }
      return rested;
    },
    /** Starts to wait for a file. Starts again when the file has changed. */
    offer(found: FoundSource) {
      const { facts, source } = found;
      const before = resting.get(source);
      if (facts === null || (before !== undefined && sameFile(before.facts, facts))) return;
      wait(found, facts, before);
    },
    /** Whether this file is settling; with `facts`, whether it is settling with these facts. */
    has(path: string, facts?: FileFacts): boolean {
      const one = resting.get(path);
      return one !== undefined && (facts === undefined || sameFile(one.facts, facts));
    },
    drop: (path: string) => void resting.delete(path),
    /** All settling files, with the facts of the last check. */
    all: () => [...resting.values()].map(({ found }) => found),
  };
}
