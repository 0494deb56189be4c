import { fileURLToPath } from 'node:url';
import { ImgtoolError } from '../errors.ts';
import type { Request } from '../image/protocol.ts';
import type { Opened, Renderer } from '../ports.ts';
import { type Answer, type Child, startChild } from './worker-pool/child.ts';
import { createDeadline, type Deadline } from './worker-pool/deadline.ts';
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
// | child: want of memory that it is told of    | its picture rejects `out_of_memory`; the next gets a new child       |
// | child: beyond the deadline, stopped or not  | SIGKILL; its picture rejects `timeout`                               |
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

/** Renders pictures in at most `size` child processes, which are started when they are needed. */
export function createWorkerPool(options: { readonly size: number; readonly workerPath?: string }): Renderer {
  const workerPath = options.workerPath ?? fileURLToPath(new URL('../image/worker.js', import.meta.url));
  const children = new Set<Child>();
  const idle: Child[] = [];
  const ledger = openLedger();
  /** Children to replace as soon as they give back their picture: they hold too much memory, or ran out of it. */
  const worn = new WeakSet<Child>();
  const waiting: { enter(): void; reject(error: Error): void }[] = [];
  let taken = 0;
  let ended = false;

  return {
    async open(source, limits, variants = []) {
      await place();
      const deadline = createDeadline(limits.timeout);
      try {
        const child = await lease(deadline);
        return await opened(child, { type: 'open', source, limits, variants }, deadline).catch(
          (error: unknown) => {
            giveBack(child);
            throw error;
          },
        );
      } catch (error) {
        leave();
        throw error;
      }
    },

    async inspect(path, timeout) {
      return (await askOne({ type: 'inspect', path }, 'inspected', timeout)).inspected;
    },

    async digest(sources, timeout) {
      return [...(await askOne({ type: 'digest', sources }, 'digested', timeout)).digested];
    },

    warm() {
      try {
        if (ended || children.size > 0) return;
        const child = begin();
        child.rest();
        idle.push(child);
      } catch {
        // The next picture gets the error.
      }
    },

    async about() {
      return (await askOne({ type: 'about' }, 'about', START_LIMIT)).engine;
    },

    spent: ledger.spent,

    kill() {
      end();
    },

    async close() {
      end();
      await Promise.all([...children].map((child) => child.gone));
    },
  };

  /** A request that leaves no picture open. */
  async function askOne<T extends Answer['type']>(request: Request, type: T, timeout: number) {
    await place();
    const deadline = createDeadline(timeout);
    try {
      const child = await lease(deadline);
      try {
        return await ask(child, request, type, deadline);
      } finally {
        // A digest leaves no memory behind.
        giveBack(child, request.type !== 'digest');
      }
    } finally {
      leave();
    }
  }

  async function opened(child: Child, request: Request, deadline: Deadline): Promise<Opened> {
    const { picture } = await ask(child, request, 'opened', deadline);
    let closed = false;
    return {
      ...picture,
      async render(orders) {
        if (closed) throw new Error('render after close');
        return (await ask(child, { type: 'render', orders, atOnce: spare() }, 'rendered', deadline)).rendered;
      },
      close() {
        if (closed) return;
        closed = true;
        giveBack(child);
        leave();
      },
    };
  }

  /** Number of outputs that an open picture may encode at once: more while other places are free. */
  function spare(): number {
    return Math.max(SIDE_BY_SIDE, Math.min(MOST_THREADS, Math.floor(options.size / taken)));
  }

  async function ask<T extends Answer['type']>(child: Child, request: Request, type: T, deadline: Deadline) {
    try {
      const answer = await deadline.over(child, () => child.ask(request));
      if (answer.type !== type) throw new Error(`a child answered ${answer.type} to ${request.type}`);
      return answer as Extract<Answer, { type: T }>;
    } catch (error) {
      // The child itself may hold the memory, so the next try gets a new one.
      if (error instanceof ImgtoolError && error.code === 'out_of_memory') worn.add(child);
      throw error;
    }
  }

  /** Waits until fewer than `size` pictures are open. */
  async function place(): Promise<void> {
    if (ended) throw cancelled();
    if (taken < options.size) {
      taken++;
      return;
    }
    await new Promise<void>((enter, reject) => waiting.push({ enter, reject }));
  }

  function leave(): void {
    const next = waiting.shift();
    if (next === undefined) taken--;
    else next.enter();
  }

  async function lease(deadline: Deadline): Promise<Child> {
    for (let start = 1; ; start++) {
      if (ended) throw cancelled();
      const child = idle.pop() ?? begin();
      child.hold();
      try {
        await deadline.over(child, () => child.ready);
        return child;
      } catch (error) {
        if (!child.interrupted || start === STARTS) throw error;
      }
    }
  }

  function begin(): Child {
    const threads = Math.max(SIDE_BY_SIDE, Math.min(MOST_THREADS, options.size));
    const child = startChild(workerPath, threads, ledger.open(), (memory) => {
      if (memory > RESTING_MOST) retire(child);
    });
    children.add(child);
    child.gone.then(() => forget(child));
    return child;
  }

  /** A child at work can do nothing else, and only a kill stops its encoder. */
  function giveBack(child: Child, isHeavy = true): void {
    if (child.busy || worn.has(child)) child.kill(cancelled());
    if (!children.has(child) || child.killed) return;
    if (isHeavy) child.tell({ type: 'release' });
    child.rest();
    idle.push(child);
  }

  /** Replaces a child, after the picture that it may have got meanwhile. */
  function retire(child: Child): void {
    if (unlist(child)) child.kill(cancelled());
    else worn.add(child);
  }

  function forget(child: Child): void {
    children.delete(child);
    unlist(child);
  }

  /** Returns whether the child was idle. */
  function unlist(child: Child): boolean {
    const at = idle.indexOf(child);
    if (at >= 0) idle.splice(at, 1);
    return at >= 0;
  }

  function end(): void {
    ended = true;
    for (const { reject } of waiting.splice(0)) reject(cancelled());
    for (const child of children) child.kill(cancelled());
  }
}

const cancelled = (): ImgtoolError => new ImgtoolError('cancelled', 'stopped before it was done');
