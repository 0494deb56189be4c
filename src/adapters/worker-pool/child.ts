import { type ChildProcess, fork } from 'node:child_process';
import { Socket } from 'node:net';
import { constants, getPriority, setPriority } from 'node:os';
import { ImgtoolError, isErrorCode, orUndefined, systemCode } from '../../errors.ts';
import type { Message, Reply, Request } from '../../image/protocol.ts';
import type { Failure, RenderProgress } from '../../model.ts';
import type { Account } from './ledger.ts';

/** The most characters to keep from the end of what a child writes to stderr. */
const TAIL = 2000;

/** Milliseconds after SIGKILL until a child is given up: a process stuck in the kernel does not end. */
const STUCK = 2000;

/** Settings for glibc and libvips. Everything else is inherited. */
const ENVIRONMENT = {
  // A single malloc arena, because an arena cannot use the free memory of another. Measured with two children: 300 MB
  // instead of 400.
  MALLOC_ARENA_MAX: '1',
  // Blocks up to 32 MiB are reused for the next picture instead of given back and faulted in again.
  MALLOC_MMAP_THRESHOLD_: `${32 * 2 ** 20}`,
  MALLOC_TRIM_THRESHOLD_: `${128 * 2 ** 20}`,
  // Blocks the loaders that libvips calls untrusted, before vips.ts runs.
  VIPS_BLOCK_UNTRUSTED: '1',
};

const { PRIORITY_BELOW_NORMAL } = constants.priority;

/** Few objects are young here, but each may hold pixels. By default V8 collects them only at 32 MB (128 MB in Node 24). */
const FLAGS = ['--expose-gc', '--max-semi-space-size=1'];

/** How a child is started. */
export interface HowToStart {
  /** The program of the child. */
  readonly path: string;
  readonly threads: number;
  /** Whether it gets less processor time than other processes. */
  readonly givesWay: boolean;
}

export type OnProgress = (progress: RenderProgress) => void;

export type Child = ReturnType<typeof startChild>;

/**
 * Starts a child. Each request says how many of its threads to use. After each release `onRest` gets
 * the bytes of memory that the child still holds. Errors: `io` and `out_of_memory` when no process can be started; some
 * systems report that only with the first answer.
 */
export function startChild(how: HowToStart, account: Account, onRest: (bytes: number) => void) {
  const child = forked(how);
  let lastWords = '';
  let settle: ((reply: Reply | Error) => void) | null = null;
  let onProgress: OnProgress | undefined;
  let isReady = false;
  let isInterrupted = false;
  let reason: ImgtoolError | null = null;
  let bury = () => {};
  const gone = new Promise<void>((resolve) => {
    bury = resolve;
  });
  const ready = nextReply();
  // Callers that await it get the error. A child that dies while idle is nobody’s failure.
  ready.catch(() => {});

  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    lastWords = (lastWords + text).slice(-TAIL);
  });
  child.on('message', (message: Message) => {
    if (message.type === 'resting') {
      account.released(message.took);
      return onRest(message.memory);
    }
    if (message.type === 'progress') return onProgress?.({ done: message.done, share: message.share });
    if (isReady) account.answered(message.took);
    else account.ready();
    isReady = true;
    settle?.(message.type === 'failed' ? revived(message.error) : message);
    settle = null;
  });
  child.on('close', die);
  child.on('error', (error) => {
    lastWords += error.message;
    if (child.pid !== undefined) return;
    // The process never started, so `close` does not come.
    reason ??= unstarted(error);
    die(null, null);
  });

  function nextReply(): Promise<Reply> {
    return new Promise((resolve, reject) => {
      settle = (reply) => (reply instanceof Error ? reject(reply) : resolve(reply));
    });
  }

  function send(request: Request): void {
    // A failed send means that the child is dying, and `close` reports that.
    child.send(request, () => {});
  }

  function die(code: number | null, signal: NodeJS.Signals | null): void {
    isInterrupted = reason === null && !isReady && /^SIG(INT|TERM|HUP)$/.test(signal ?? '');
    reason ??= crashed(code, signal, lastWords);
    settle?.(reason);
    settle = null;
    account.close();
    bury();
  }

  return {
    /** Resolves when its libraries are loaded. */
    ready,
    /** Resolves when the child has ended. Never rejects. */
    gone,
    isBusy: () => settle !== null,
    isKilled: () => reason !== null,
    /** Whether a signal to the parent ended it before it could ignore the signal. */
    isInterrupted: () => isInterrupted,
    /** Sends one request at a time. Errors: those of the picture, `worker_crashed`, the reason of `kill`. */
    ask(request: Request, progress?: OnProgress): Promise<Reply> {
      if (reason !== null) return Promise.reject(reason);
      onProgress = progress;
      const reply = nextReply();
      account.asked(request.type);
      send(request);
      return reply;
    },
    send,
    /** Ends the child at once. The outstanding answer rejects with the reason, once the child can write nothing more. */
    kill(why: ImgtoolError): void {
      if (reason !== null) return;
      reason = why;
      child.kill('SIGKILL');
      const giveUp = setTimeout(() => die(null, 'SIGKILL'), STUCK);
      gone.then(() => clearTimeout(giveUp));
    },
    /** A child that is lent keeps the parent alive, as a new child does. */
    lend(isLent: boolean): void {
      account.lent(isLent);
      const { channel, stderr } = child;
      for (const handle of [child, channel, stderr instanceof Socket ? stderr : null]) {
        if (isLent) handle?.ref();
        else handle?.unref();
      }
    },
  };
}

function forked({ path, threads, givesWay }: HowToStart): ChildProcess {
  try {
    const child = fork(path, [], {
      execArgv: FLAGS,
      env: { ...process.env, ...ENVIRONMENT, UV_THREADPOOL_SIZE: String(threads) },
      // Messages of C libraries must not garble the terminal.
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    const { pid } = child;
    // Some systems refuse it, and a process that is gone has none.
    if (givesWay && pid !== undefined)
      orUndefined(() => setPriority(pid, Math.max(getPriority(), PRIORITY_BELOW_NORMAL)));
    return child;
  } catch (error) {
    throw unstarted(error);
  }
}

function revived({ code, message, fix }: Failure): ImgtoolError {
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
