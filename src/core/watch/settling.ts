import type { FileFacts, SourceFacts } from '../../model.ts';
import type { FoundSource } from '../../ports.ts';
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
  readonly settled: (found: readonly FoundSource[]) => void;
  /** Is called for each file that is gone or replaced by a link. */
  readonly lost: (found: FoundSource) => void;
  /** Is called once for each file that does not settle. */
  readonly restless: (found: FoundSource) => void;
  /** Receives the error that stopped the checks. */
  readonly failed: (error: unknown) => void;
}

/** Files checked in one step. */
const AT_ONCE = 256;
/** Milliseconds after which a file that keeps changing is reported. */
const RESTLESS = 5_000;

export type Settling = ReturnType<typeof openSettling>;

/** Files that may still be written. A file has settled when size, mtime and inode stay the same for the settle time. */
export function openSettling(options: SettlingOptions) {
  const { settle, clock, statAll, settled, lost, restless, failed } = options;
  // The settle time is the same for all files, so the map is in the order of due times.
  const resting = new Map<string, Resting>();
  let cancel: (() => void) | undefined;
  let closed = false;

  const wait = (found: FoundSource, facts: SourceFacts, before?: Resting): void => {
    const now = clock.now();
    const since = before?.since ?? now;
    const isReported = before?.isReported === true || now - since > Math.max(RESTLESS, 4 * settle);
    resting.delete(found.source);
    resting.set(found.source, { found, facts, since, due: now + settle, isReported });
    arm();
    if (isReported && before?.isReported === false) restless(found);
  };

  const arm = (): void => {
    const [first] = resting.values();
    if (first === undefined || cancel !== undefined || closed) return;
    cancel = clock.after(Math.max(0, first.due - clock.now()), () => void look().catch(failed));
  };

  const look = async (): Promise<void> => {
    const due: Resting[] = [];
    for (const one of resting.values()) {
      if (one.due > clock.now() || due.length === AT_ONCE) break;
      due.push(one);
    }
    const facts = await statAll(due.map(({ found }) => found.source));
    const rested: FoundSource[] = [];
    for (const [i, one] of due.entries()) {
      const found = { ...one.found, facts: facts[i] ?? null };
      // The file was offered again during the stat.
      if (resting.get(found.source) !== one) continue;
      if (found.facts !== null && !sameFile(found.facts, one.facts)) {
        wait(found, found.facts, one);
        continue;
      }
      resting.delete(found.source);
      if (found.facts === null) lost(found);
      else rested.push(found);
    }
    // Call it even without files: fewer files wait now.
    if (!closed) settled(rested);
    cancel = undefined;
    arm();
  };

  return {
    get size() {
      return resting.size;
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
    close() {
      closed = true;
      cancel?.();
    },
  };
}
