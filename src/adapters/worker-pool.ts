import { fileURLToPath } from 'node:url';
import { ImgtoolError, stoppedEarly } from '../errors.ts';
import type { Reply, Request } from '../image/protocol.ts';
import type { Renderer } from '../ports.ts';
import { type Child, type OnProgress, startChild } from './worker-pool/child.ts';
import { openLedger } from './worker-pool/ledger.ts';

// Who dies, and what the others do. The core asks for `kill` and `close`; signals to the parent are cli.ts's.
//
// | who                                         | what follows                                                        |
// |---------------------------------------------|---------------------------------------------------------------------|
// | parent: first Ctrl-C, TERM, HUP             | nothing here: pictures in work finish, then `close`                  |
// | parent: second one                          | `kill`: children get SIGKILL at once, pictures reject `cancelled`    |
// | parent: SIGKILL, crash                      | the channel closes; each child ends itself by SIGKILL                |
// | parent: STOP, CONT                          | a deadline counts a late tick once, so nothing times out             |
// | parent: no process can be started           | the picture rejects `io`, or `out_of_memory`; both may be retried    |
// | child: Ctrl-C, TERM, HUP                    | ignored; before it is ready it dies of them and is started again     |
// | child: crash, SIGKILL, SIGSEGV, abort       | its picture rejects `worker_crashed`; the next gets a new child      |
// | child: a library finds no memory           | its picture rejects `out_of_memory`; the next gets a new child       |
// | child: beyond the deadline, stopped or not  | SIGKILL; its picture rejects `timeout`                               |
// | child: its request is aborted               | SIGKILL if it works already; the request rejects `cancelled`         |
// | child: waits between open and render        | no deadline counts                                                   |
// | child: holds much memory without a picture  | SIGKILL once it is idle; the next picture gets a new child           |
// | child: the channel closes                   | it ends itself by SIGKILL, in the midst of an encode too             |
// | child: any death after `kill` or `close`    | `cancelled`, never `worker_crashed`                                  |

/** How often a child that a Ctrl-C ends during its start is started again for one picture. */
const STARTS = 5;

/** Bytes of memory a child may hold without a picture. Libraries do not give back more than that. */
const RESTING_MOST = 400 * 2 ** 20;

/**
 * Outputs of one picture to encode at once when all places are taken: while one child waits for the parent or the disk,
 * the others use its core. Measured on two cores with 500 small pictures: 13.2 s, one by one 15.0 s.
 */
const SIDE_BY_SIDE = 2;
/** Most threads of a child. A single picture uses all of them. */
const MOST_THREADS = 8;

/** Milliseconds a child may take to start and describe itself. */
const START_LIMIT = 10_000;
/** Milliseconds. */
const TICK = 1000;

interface PoolOptions {
  readonly size: number;
  /** Whether the children get less processor time than other processes. */
  readonly givesWay?: boolean;
  readonly workerPath?: string;
}

/** Renders pictures in at most `size` child processes, which are started when they are needed. */
export function createWorkerPool(options: PoolOptions): Renderer {
  const workerPath = options.workerPath ?? fileURLToPath(new URL('../image/worker.js', import.meta.url));
  const { givesWay = false } = options;
  const children = new Set<Child>();
  const idle = new Set<Child>();
  const ledger = openLedger();
  /** Children to replace as soon as they give back their picture: they hold too much memory, or ran out of it. */
  const worn = new WeakSet<Child>();
  const waiting: { enter(): void; reject(error: Error): void }[] = [];
  let taken = 0;
  let hasEnded = false;

  return {
    async open(source, limits, variants = [], { begin, signal } = {}) {
      const lease = await leaseChild(limits.timeout, signal);
      try {
        if (signal?.aborted !== true) await begin?.();
        const { picture } = await lease.ask({ type: 'open', source, limits, variants }, 'opened');
        return {
          ...picture,
          async render(orders, progress) {
            const request = { type: 'render', orders, atOnce: threadsOf(taken) } as const;
            return (await lease.ask(request, 'rendered', progress)).rendered;
          },
          close: () => lease.end(),
        };
      } catch (error) {
        lease.end();
        throw error;
      }
    },

    inspect: async (path, timeout, signal) =>
      (await ask({ type: 'inspect', path }, 'inspected', timeout, signal)).inspected,
    digest: async (sources, timeout, signal) =>
      (await ask({ type: 'digest', sources }, 'digested', timeout, signal)).digested,
    about: async () => (await ask({ type: 'about' }, 'about', START_LIMIT)).engine,

    warm() {
      try {
        if (hasEnded || children.size > 0) return;
        const child = start();
        child.lend(false);
        idle.add(child);
      } catch {
        // If the error lasts, the next picture fails with it.
      }
    },

    spent: ledger.spent,
    kill,
    async close() {
      kill();
      await Promise.all([...children].map((child) => child.gone));
    },
  };

  /** A request that leaves no picture open. */
  async function ask<T extends Reply['type']>(
    request: Request,
    type: T,
    timeout: number,
    signal?: AbortSignal,
  ) {
    const lease = await leaseChild(timeout, signal);
    try {
      return await lease.ask(request, type);
    } finally {
      // A digest leaves no memory behind.
      lease.end(request.type !== 'digest');
    }
  }

  /**
   * Waits for a place and a child. `timeout` limits the start and all requests together. `signal` ends the lease, and kills
   * a child at work.
   */
  async function leaseChild(timeout: number, signal?: AbortSignal) {
    await enter();
    const within = createDeadline(timeout);
    const child = await readyChild(within).catch((error: unknown) => {
      leave();
      throw error;
    });
    let hasClosed = false;
    const lease = {
      async ask<T extends Reply['type']>(request: Request, type: T, progress?: OnProgress) {
        if (signal?.aborted === true) throw stoppedEarly();
        if (hasClosed) throw new Error(`${request.type} after close`);
        try {
          const answer = await within(child, child.ask(request, progress));
          if (answer.type !== type) throw new Error(`a child answered ${answer.type} to ${request.type}`);
          return answer as Extract<Reply, { type: T }>;
        } catch (error) {
          // The child itself may hold the memory, so the next try gets a new one.
          if (error instanceof ImgtoolError && error.code === 'out_of_memory') worn.add(child);
          throw error;
        }
      },
      /** Gives back the child and the place. May be called twice. */
      end(isHeavy = true): void {
        if (hasClosed) return;
        hasClosed = true;
        signal?.removeEventListener('abort', stop);
        giveBack(child, isHeavy);
        leave();
      },
    };
    const stop = () => lease.end();
    signal?.addEventListener('abort', stop, { once: true });
    return lease;
  }

  /** Threads for each of so many pictures: more while other places are free. */
  function threadsOf(pictures: number): number {
    return Math.max(SIDE_BY_SIDE, Math.min(MOST_THREADS, Math.floor(options.size / pictures)));
  }

  /** Waits until fewer than `size` pictures are open. */
  async function enter(): Promise<void> {
    if (hasEnded) throw stoppedEarly();
    if (taken < options.size) taken++;
    else await new Promise<void>((enter, reject) => waiting.push({ enter, reject }));
  }

  function leave(): void {
    const next = waiting.shift();
    if (next === undefined) taken--;
    else next.enter();
  }

  async function readyChild(within: Deadline): Promise<Child> {
    for (let attempt = 1; ; attempt++) {
      if (hasEnded) throw stoppedEarly();
      const child = [...idle].pop() ?? start();
      idle.delete(child);
      child.lend(true);
      try {
        await within(child, child.ready);
        return child;
      } catch (error) {
        if (!child.isInterrupted() || attempt === STARTS) throw error;
      }
    }
  }

  function start(): Child {
    const child = startChild(
      { path: workerPath, threads: threadsOf(1), givesWay },
      ledger.open(),
      (memory) => {
        if (memory <= RESTING_MOST) return;
        // A child that got another picture meanwhile is replaced afterwards.
        if (idle.delete(child)) child.kill(stoppedEarly());
        else worn.add(child);
      },
    );
    children.add(child);
    child.gone.then(() => {
      children.delete(child);
      idle.delete(child);
    });
    return child;
  }

  /** A child at work can do nothing else, and only a kill stops its encoder. */
  function giveBack(child: Child, isHeavy: boolean): void {
    if (child.isBusy() || worn.has(child)) child.kill(stoppedEarly());
    if (child.isKilled()) return;
    if (isHeavy) child.send({ type: 'release' });
    child.lend(false);
    idle.add(child);
  }

  function kill(): void {
    hasEnded = true;
    for (const { reject } of waiting.splice(0)) reject(stoppedEarly());
    for (const child of children) child.kill(stoppedEarly());
  }
}

type Deadline = ReturnType<typeof createDeadline>;

/**
 * Awaits the work of a child on one picture, and kills the child when `timeout` milliseconds are used up. Counts ticks
 * instead of the clock: a late tick, after the laptop slept or the parent was stopped, counts once.
 */
function createDeadline(timeout: number) {
  let left = Math.max(1, Math.ceil(timeout / TICK));
  return async <T>(child: Child, work: Promise<T>): Promise<T> => {
    const ticks = setInterval(() => {
      left--;
      if (left === 0) child.kill(tooLate(timeout));
    }, TICK);
    try {
      return await work;
    } finally {
      clearInterval(ticks);
    }
  };
}

function tooLate(timeout: number): ImgtoolError {
  const fix = 'give it more time with {{timeout}}, or leave it out with {{exclude}}';
  return new ImgtoolError('timeout', `took longer than ${timeout / 1000} s`, { fix });
}
