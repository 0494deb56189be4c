import type { Message } from '../../image/protocol.ts';
import type { Calls, ChildrenSpent } from '../../model.ts';

/**
 * Milliseconds. In `first`, `between` and `last` a child waits for a picture. In `before` and `after` the child holds a
 * picture and is idle.
 */
const ZERO_TIMES = { starting: 0, first: 0, between: 0, last: 0, before: 0, after: 0, asked: 0, travel: 0 };

type Spot = Exclude<keyof typeof ZERO_TIMES, 'last' | 'travel'>;
type Took = Message['took'];

export type Account = ReturnType<ReturnType<typeof openLedger>['open']>;

/** Adds up the time of all children of a pool. `clock` returns milliseconds from any origin. */
export function openLedger(clock = () => performance.now()) {
  const passed = { ...ZERO_TIMES };
  const work = new Map<string, Calls>();
  const open = new Set<(into: typeof ZERO_TIMES) => void>();
  let started = 0;
  let cpu = 0;

  function worked(type: string, ms: number, calls = 1): void {
    const sofar = work.get(type) ?? { calls: 0, ms: 0 };
    work.set(type, { calls: sofar.calls + calls, ms: sofar.ms + ms });
  }

  return {
    open() {
      let spot: Spot = 'starting';
      let since = clock();
      let isLent = true;
      let question = '';
      let reported = 0;
      started++;

      const turn = (to: Spot): number => {
        const now = clock();
        const ms = now - since;
        since = now;
        passed[spot] += ms;
        spot = to;
        return ms;
      };
      const learn = (took: Took): void => {
        const now = took?.cpu ?? reported;
        cpu += now - reported;
        reported = now;
      };
      /** Adds the time since the last `turn`, as if the child ended now. */
      const rest = (into: typeof ZERO_TIMES): void => {
        into[spot === 'between' ? 'last' : spot] += clock() - since;
      };
      open.add(rest);

      return {
        ready: () => void turn(isLent ? 'before' : 'first'),
        /** The child got a picture, or gave it back. */
        lent(is: boolean): void {
          isLent = is;
          if (is && spot !== 'starting') turn('before');
          else if (spot !== 'starting' && spot !== 'first') turn('between');
        },
        asked(type: string): void {
          turn('asked');
          question = type;
        },
        answered(took: Took): void {
          const ms = turn(question === 'open' ? 'before' : 'after');
          const own = Math.min(ms, took?.ms ?? ms);
          worked(question, own);
          passed.travel += ms - own;
          learn(took);
        },
        released(took: Took): void {
          worked('release', took?.ms ?? 0);
          learn(took);
        },
        /** Ends the account of a child that has ended. A question without an answer counts as work. */
        close(): void {
          if (!open.delete(rest)) return;
          if (spot === 'asked') worked(question, turn('after'), 0);
          else rest(passed);
        },
      };
    },

    spent(): ChildrenSpent {
      const all = { ...passed };
      for (const rest of open) rest(all);
      const { starting, first, between, last, before, after, travel } = all;
      const idle = { first, between, last };
      const asked = Object.fromEntries(work);
      return { started, cpu, starting, asked, travel, held: { before, after }, idle };
    },
  };
}
