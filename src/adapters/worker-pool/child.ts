import { type ChildProcess, fork } from 'node:child_process';
import { Socket } from 'node:net';
import { ImgtoolError, isErrorCode, systemCode } from '../../errors.ts';
import type { Message, Reply, Request } from '../../image/protocol.ts';
import type { Account } from './ledger.ts';

/** Characters of a child's last words that are kept. */
const TAIL = 2000;

/** Milliseconds after SIGKILL at which a child is given up: one stuck in the kernel does not end. */
const STUCK = 2000;

/**
 * glibc would keep an arena of freed pixels per thread; loaders that libvips calls untrusted stay shut even before
 * vips.ts has its say. Everything else is inherited.
 */
const ENVIRONMENT = {
  // One, not a second for the other thread: what lies free in one is of no use to the other (measured: 300 MB for a
  // tree with two children instead of 400, at the same speed).
  MALLOC_ARENA_MAX: '1',
  // Pixels of one picture after another in the same pages: up to 32 MiB are not given back and faulted in each time.
  MALLOC_MMAP_THRESHOLD_: `${32 * 2 ** 20}`,
  MALLOC_TRIM_THRESHOLD_: `${128 * 2 ** 20}`,
  VIPS_BLOCK_UNTRUSTED: '1',
};

export type Answer = Exclude<Reply, { type: 'failed' | 'ready' | 'resting' }>;

export interface Child {
  /** Its libraries are loaded. */
  readonly ready: Promise<void>;
  /** It has ended; never rejects. */
  readonly gone: Promise<void>;
  /** It owes an answer. */
  readonly busy: boolean;
  readonly killed: boolean;
  /** It was ended by a signal meant for the parent before it could ignore it. */
  readonly interrupted: boolean;
  /** One request at a time. Errors: those of the picture, `worker_crashed`, the reason it was killed for. */
  ask(request: Request): Promise<Answer>;
  tell(request: Request): void;
  /** Ends it at once; what it owes rejects with the reason, once it can write nothing any more. */
  kill(reason: ImgtoolError): void;
  /** Keeps the parent alive, as a new child does, or no longer. */
  hold(): void;
  rest(): void;
}

interface Owed<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

/**
 * A child with so many threads for decoding and encoding; it is told with each picture how many of them to use.
 * Its time is put down in its account. `onResting` is told, after each release, how many bytes of memory the child still holds. Errors: `io` and
 * `out_of_memory` when no process can be started at all, at once or by what it is asked.
 */
export function startChild(
  workerPath: string,
  threads: number,
  account: Account,
  onResting: (memory: number) => void,
): Child {
  const child = forked(workerPath, threads);
  const words = lastWords(child);
  let owed: Owed<Answer> | null = null;
  let starting: Owed<void> | null = null;
  let reason: ImgtoolError | null = null;
  let interrupted = false;
  let buried: () => void = () => {};
  const gone = new Promise<void>((resolve) => {
    buried = resolve;
  });
  const ready = new Promise<void>((resolve, reject) => {
    starting = { resolve, reject };
  });
  // Whoever awaits it hears of it; a child that dies unasked is nobody's failure.
  ready.catch(() => {});

  child.on('message', (reply: Message) => {
    if (reply.type === 'ready') {
      account.ready();
      starting?.resolve();
      starting = null;
      return;
    }
    if (reply.type === 'resting') {
      account.released(reply.took);
      return onResting(reply.memory);
    }
    account.answered(reply.took);
    const { resolve, reject } = owed ?? {};
    owed = null;
    if (reply.type === 'failed') reject?.(revived(reply.error));
    else resolve?.(reply);
  });
  child.on('close', (code, signal) => die(code, signal));
  child.on('error', (error) => {
    words.push(error.message);
    if (child.pid !== undefined) return;
    // It was never started, and `close` does not come.
    reason ??= unstarted(error);
    die(null, null);
  });

  function send(request: Request): void {
    // A failed send means that it is dying, and `close` says so.
    child.send(request, () => {});
  }

  function die(code: number | null, signal: NodeJS.Signals | null): void {
    interrupted = reason === null && starting !== null && /^SIG(INT|TERM|HUP)$/.test(signal ?? '');
    const error = reason ?? crashed(code, signal, words.join(''));
    starting?.reject(error);
    owed?.reject(error);
    starting = null;
    owed = null;
    reason = error;
    account.close();
    buried();
  }

  return {
    ready,
    gone,
    get busy() {
      return owed !== null;
    },
    get killed() {
      return reason !== null;
    },
    get interrupted() {
      return interrupted;
    },
    ask(request) {
      if (reason !== null) return Promise.reject(reason);
      return new Promise((resolve, reject) => {
        owed = { resolve, reject };
        account.asked(request.type);
        send(request);
      });
    },
    tell: send,
    kill(why) {
      if (reason !== null) return;
      reason = why;
      child.kill('SIGKILL');
      const giveUp = setTimeout(() => die(null, 'SIGKILL'), STUCK);
      gone.then(() => clearTimeout(giveUp));
    },
    hold() {
      account.lent(true);
      for (const handle of handles(child)) handle.ref();
    },
    rest() {
      account.lent(false);
      for (const handle of handles(child)) handle.unref();
    },
  };
}

/** Young objects are few here, but each may hold on to pixels; left alone V8 lets them come to 32 MB, and to 128 in Node 24. */
const FLAGS = ['--expose-gc', '--max-semi-space-size=1'];

function forked(workerPath: string, threads: number): ChildProcess {
  try {
    return fork(workerPath, [], {
      execArgv: FLAGS,
      env: { ...process.env, ...ENVIRONMENT, UV_THREADPOOL_SIZE: String(threads) },
      // A terminal must not be garbled by what a C library has to say.
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
  } catch (error) {
    throw unstarted(error);
  }
}

/** What keeps the parent's event loop running. */
function handles(child: ChildProcess): { ref(): void; unref(): void }[] {
  const { channel, stderr } = child;
  return [child, ...(channel ? [channel] : []), ...(stderr instanceof Socket ? [stderr] : [])];
}

function lastWords(child: ChildProcess): string[] {
  const words: string[] = [];
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    words.splice(0, words.length, (words.join('') + text).slice(-TAIL));
  });
  return words;
}

function revived({ code, message, fix }: Extract<Reply, { type: 'failed' }>['error']): ImgtoolError {
  return new ImgtoolError(isErrorCode(code) ? code : 'internal', message, { fix });
}

/** The system has no process, descriptor or memory left; it may have a moment later. */
function unstarted(error: unknown): ImgtoolError {
  const code = systemCode(error);
  const what = `the process that was to render it could not be started (${code ?? String(error)})`;
  const fix = 'try again with --jobs 1, or allow more processes, open files and memory (ulimit -a)';
  return new ImgtoolError(code === 'ENOMEM' ? 'out_of_memory' : 'io', what, { fix, cause: error });
}

function crashed(code: number | null, signal: string | null, words: string): ImgtoolError {
  const how = signal === null ? `exit code ${code ?? 'unknown'}` : signal;
  const memory = signal === 'SIGKILL' ? ', perhaps for want of memory' : '';
  return new ImgtoolError('worker_crashed', `the process that was rendering it ended (${how}${memory})`, {
    fix: 'try again with --jobs 1; if it ends again, leave this picture out with --exclude',
    cause: words === '' ? undefined : new Error(words),
  });
}
