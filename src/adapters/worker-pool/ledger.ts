import type { Message, Request } from '../../image/protocol.ts';
import type { Calls, ChildrenSpent } from '../../model.ts';

/**
 * What a child does, as its parent sees it. `first` and `between`: it waits for a picture. `before` and `after`: it
 * holds a picture that is not being rendered.
 */
type Spot = 'starting' | 'first' | 'between' | 'before' | 'after' | 'asked';

type Took = Message['took'];

/** Records the time of one child. */
export interface Account {
  ready(): void;
  /** The child got a picture, or gave it back. */
  lent(isLent: boolean): void;
  asked(type: Request['type']): void;
  answered(took: Took): void;
  /** The child has released its picture. */
  released(took: Took): void;
  /** The child has ended. */
  close(): void;
}

/** Adds up the time of all children of a pool. `clock` returns milliseconds from any origin. */
export function openLedger(clock = () => performance.now()) {
  const passed = { starting: 0, first: 0, between: 0, last: 0, before: 0, after: 0, travel: 0 };
  const work = new Map<string, { calls: number; ms: number }>();
  const open = new Set<(into: typeof passed) => void>();
  let started = 0;
  let cpu = 0;

  function worked(type: string, ms: number, calls = 1): void {
    const sofar = work.get(type) ?? { calls: 0, ms: 0 };
    work.set(type, { calls: sofar.calls + calls, ms: sofar.ms + ms });
  }

  return {
    open(): Account {
      let spot: Spot = 'starting';
      let since = clock();
      let isLent = true;
      let question = '';
      let told = 0;
      started++;

      const turn = (to: Spot) => {
        const now = clock();
        const ms = now - since;
        since = now;
        if (spot !== 'asked') passed[spot] += ms;
        spot = to;
        return ms;
      };
      const learn = (took: Took) => {
        cpu += (took?.cpu ?? told) - told;
        told = took?.cpu ?? told;
      };
      /** Adds the current stretch, as if it ended now. */
      const rest = (into: typeof passed) => {
        if (spot !== 'asked') into[spot === 'between' ? 'last' : spot] += clock() - since;
      };
      open.add(rest);

      return {
        ready: () => void turn(isLent ? 'before' : 'first'),
        lent(is) {
          isLent = is;
          if (spot !== 'starting') turn(is ? 'before' : spot === 'first' ? 'first' : 'between');
        },
        asked(type) {
          turn('asked');
          question = type;
        },
        answered(took) {
          const ms = turn(question === 'open' ? 'before' : 'after');
          worked(question, Math.min(ms, took?.ms ?? ms));
          passed.travel += Math.max(0, ms - (took?.ms ?? ms));
          learn(took);
        },
        released(took) {
          worked('release', took?.ms ?? 0);
          learn(took);
        },
        close() {
          if (!open.delete(rest)) return;
          // An unanswered question counts as work too.
          if (spot === 'asked') worked(question, turn('after'), 0);
          else rest(passed);
        },
      };
    },

    spent(): ChildrenSpent {
      const all = { ...passed };
      for (const rest of open) rest(all);
      const { starting, first, between, last, before, after, travel } = all;
      const asked: Record<string, Calls> = Object.fromEntries(work);
      const [held, idle] = [
        { before, after },
        { first, between, last },
      ];
      return { started, cpu, starting, asked, travel, held, idle };
    },
  };
}
