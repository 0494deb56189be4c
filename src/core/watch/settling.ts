import type { FileFacts, SourceFacts } from '../../model.ts';
import type { FoundSource } from '../../ports.ts';
import type { Clock } from '../clock.ts';
import { sameFile } from '../job/decide.ts';

/** Files that may still be written: each is taken once size, mtime and inode were the same for the settle time. */
export interface Settling {
  readonly size: number;
  /** Begins to wait for a file as it is now, or anew where it is not as it was. */
  offer(found: FoundSource): void;
  /** Whether it waits for this file; as it is now, where that is said. */
  has(path: string, facts?: FileFacts): boolean;
  drop(path: string): void;
  /** All that it waits for, as it was when it was last looked at. */
  all(): FoundSource[];
  close(): void;
}

interface Resting {
  readonly found: FoundSource;
  readonly facts: SourceFacts;
  /** On the clock: when it was first offered, and when it will have rested. */
  readonly since: number;
  readonly due: number;
  readonly told: boolean;
}

interface SettlingOptions {
  /** Milliseconds. */
  readonly settle: number;
  readonly clock: Clock;
  readonly statAll: (paths: readonly string[]) => Promise<(SourceFacts | null)[]>;
  readonly settled: (found: readonly FoundSource[]) => void;
  /** Hears of each file that is none any more: it is gone, or a link has taken its place. */
  readonly lost: (found: FoundSource) => void;
  /** Hears once of each file that does not come to rest. */
  readonly restless: (found: FoundSource) => void;
  /** Hears of what kept it from looking on. */
  readonly failed: (error: unknown) => void;
}

/** Files looked at in one go. */
const AT_ONCE = 256;
/** Milliseconds after which a file that keeps changing is worth a word. */
const RESTLESS = 5_000;

export function openSettling(options: SettlingOptions): Settling {
  const { settle, clock, statAll, settled, lost, restless, failed } = options;
  // The settle time is the same for all: who came last is due last.
  const resting = new Map<string, Resting>();
  let cancel: (() => void) | undefined;
  let closed = false;

  const wait = (found: FoundSource, facts: SourceFacts, before?: Resting): void => {
    const now = clock.now();
    const since = before?.since ?? now;
    const told = before?.told === true || now - since > Math.max(RESTLESS, 4 * settle);
    resting.delete(found.source);
    resting.set(found.source, { found, facts, since, due: now + settle, told });
    arm();
    if (told && before?.told === false) restless(found);
  };

  const arm = (): void => {
    if (cancel !== undefined || closed) return;
    const [first] = resting.values();
    if (first !== undefined)
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
      const { found } = one;
      // It was offered again while it was looked at.
      if (resting.get(found.source) !== one) continue;
      const now = facts[i] ?? null;
      if (now !== null && !sameFile(now, one.facts)) wait({ ...found, facts: now }, now, one);
      else resting.delete(found.source);
      if (now === null) lost(found);
      else if (sameFile(now, one.facts)) rested.push({ ...found, facts: now });
    }
    // Also where there are none: fewer wait than did.
    if (!closed) settled(rested);
    cancel = undefined;
    arm();
  };

  return {
    get size() {
      return resting.size;
    },
    offer(found) {
      const { facts, source } = found;
      const before = resting.get(source);
      if (facts === null || (before !== undefined && sameFile(before.facts, facts))) return;
      wait(found, facts, before);
    },
    has(path, facts) {
      const one = resting.get(path);
      return one !== undefined && (facts === undefined || sameFile(one.facts, facts));
    },
    drop: (path) => void resting.delete(path),
    all: () => [...resting.values()].map(({ found }) => found),
    close() {
      closed = true;
      cancel?.();
    },
  };
}
