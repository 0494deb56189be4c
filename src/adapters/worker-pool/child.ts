import { type ChildProcess, fork } from 'node:child_process';
import { Socket } from 'node:net';
import { ImgtoolError, isErrorCode, systemCode } from '../../errors.ts';
import type { Message, Reply, Request } from '../../image/protocol.ts';
import type { Account } from './ledger.ts';

/** Characters to keep of what a child wrote last. */
const TAIL = 2000;

/** Milliseconds after SIGKILL until a child is given up: a process stuck in the kernel does not end. */
const STUCK = 2000;

/**
 * Settings for glibc, and for the loaders that libvips calls untrusted: they are blocked before vips.ts runs.
 * Everything else is inherited.
 */
const ENVIRONMENT = {
  // One arena: free memory in one is useless to another. Measured with two children: 300 MB instead of 400, at the same
  // speed.
  MALLOC_ARENA_MAX: '1',
  // Blocks up to 32 MiB are reused for the next picture instead of given back and faulted in again.
  MALLOC_MMAP_THRESHOLD_: `${32 * 2 ** 20}`,
  MALLOC_TRIM_THRESHOLD_: `${128 * 2 ** 20}`,
  VIPS_BLOCK_UNTRUSTED: '1',
};

export type Answer = Exclude<Reply, { type: 'failed' | 'ready' | 'resting' }>;

export interface Child {
  /** Resolves when its libraries are loaded. */
  readonly ready: Promise<void>;
  /** Resolves when the child has ended. Never rejects. */
  readonly gone: Promise<void>;
  /** Whether an answer is outstanding. */
  readonly busy: boolean;
  readonly killed: boolean;
  /** Whether a signal to the parent ended it before it could ignore the signal. */
  readonly interrupted: boolean;
  /** Sends one request at a time. Errors: those of the picture, `worker_crashed`, the reason of `kill`. */
  ask(request: Request): Promise<Answer>;
  tell(request: Request): void;
  /** Ends the child at once. The outstanding answer rejects with the reason, once the child can write nothing more. */
  kill(reason: ImgtoolError): void;
  /** `hold` keeps the parent alive, as a new child does; `rest` does not. */
  hold(): void;
  rest(): void;
}

interface Owed<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

/**
 * Starts a child with this many threads. Each request says how many of them to use. After each release `onResting` gets
 * the bytes of memory that the child still holds. Errors: `io` and `out_of_memory` when no process can be started; some
 * systems report that only with the first answer.
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
  // Callers that await it get the error. A child that dies while idle is nobody’s failure.
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
    // The process never started, so `close` does not come.
    reason ??= unstarted(error);
    die(null, null);
  });

  function send(request: Request): void {
    // A failed send means that the child is dying, and `close` reports that.
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

/**
 * Few objects are young here, but each may hold pixels. By default V8 collects them only at 32 MB (128 MB in Node 24).
 */
const FLAGS = ['--expose-gc', '--max-semi-space-size=1'];

function forked(workerPath: string, threads: number): ChildProcess {
  try {
    return fork(workerPath, [], {
      execArgv: FLAGS,
      env: { ...process.env, ...ENVIRONMENT, UV_THREADPOOL_SIZE: String(threads) },
      // Messages of C libraries must not garble the terminal.
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
  } catch (error) {
    throw unstarted(error);
  }
}

/** The handles that keep the event loop of the parent running. */
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

/** The system is out of processes, descriptors or memory. A later try may succeed. */
function unstarted(error: unknown): ImgtoolError {
  const code = systemCode(error);
  const what = `the process that was to render it could not be started (${code ?? String(error)})`;
  const fix = 'try again with {{jobs 1}}, or allow more processes, open files and memory (ulimit -a)';
  return new ImgtoolError(code === 'ENOMEM' ? 'out_of_memory' : 'io', what, { fix, cause: error });
}

function crashed(code: number | null, signal: string | null, words: string): ImgtoolError {
  const how = signal === null ? `exit code ${code ?? 'unknown'}` : signal;
  const memory = signal === 'SIGKILL' ? ', perhaps for want of memory' : '';
  return new ImgtoolError('worker_crashed', `the process that was rendering it ended (${how}${memory})`, {
    fix: 'try again with {{jobs 1}}; if it ends again, leave this picture out with {{exclude}}',
    cause: words === '' ? undefined : new Error(words),
  });
}
