import { constants } from 'node:os';
import { classOf, type ErrorClass, type ErrorCode, systemCode } from '../errors.ts';
import type { BatchFinished } from '../model.ts';

/** How the process ends: by a signal, by a closed output, or with an exit code. */

/** The batch could not continue, or its output could not be written. */
const CANNOT_GO_ON = 3;
/** `imgtool cancel` stopped a batch: 128 + SIGINT. */
const CANCELLED = 130;
/** Nobody reads the output any more: 128 + SIGPIPE. */
const CLOSED = 141;

/** The exit codes of commands that end with an error of these classes. Other classes exit with 1. */
const EXITS: Partial<Record<ErrorClass, number>> = { misuse: 2, fatal: CANNOT_GO_ON, denied: CANNOT_GO_ON };

/** The exit code of a command that ended with an error. */
export function exitOfError(code: ErrorCode): number {
  return code === 'cancelled' ? CANCELLED : (EXITS[classOf(code)] ?? 1);
}

/** The exit code of a command that ran a batch. `signalled` is the exit code of the signal that stopped the batch. */
export function exitOfBatch({ state, counts, stopped }: BatchFinished, signalled: unknown): number {
  if (state === 'interrupted') return CANNOT_GO_ON;
  if (stopped !== undefined) return typeof signalled === 'number' ? signalled : CANCELLED;
  return counts.failed > 0 ? 1 : 0;
}

/** Milliseconds until another signal counts as the second one, because `npm start` can deliver one Ctrl-C twice. */
const SAME_SIGNAL = 300;
/** Milliseconds after which a forced stop ends the process in any case. */
const FORCED_END = 700;

/** Milliseconds in which the system stops this process. */
const STOPPING = 50;

/** The output streams of this process. */
export const streams = { stdout: process.stdout, stderr: process.stderr };

const stop = new AbortController();
let signalled: NodeJS.Signals | undefined;

/** Aborts with the first signal, or when an output is closed. The reason is an exit code. */
export const stopped: AbortSignal = stop.signal;

/** Stops the command when nobody reads its output any more. */
export function hearStreams(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error) => {
      const code = systemCode(error);
      if (code !== 'EPIPE' && stream === process.stdout) {
        process.stderr.write(`error: standard output cannot be written (${code ?? error.message})\n`);
      }
      process.exitCode = code === 'EPIPE' ? CLOSED : CANNOT_GO_ON;
      stop.abort(code === 'EPIPE' ? CLOSED : undefined);
    });
  }
}

/** After this call the first signal stops in order. The second signal calls `force`, then ends the process. */
export function hearSignals(force: () => void = () => {}): void {
  hearSuspension();
  let since = 0;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (signalled === undefined) {
        signalled = signal;
        since = performance.now();
        stop.abort(128 + constants.signals[signal]);
      } else if (performance.now() - since >= SAME_SIGNAL) {
        force();
        setTimeout(() => endBy(signalled ?? signal), FORCED_END).unref();
      }
    });
  }
}

/**
 * Makes Ctrl-Z restore the terminal before it stops the process. Standard error emits `suspend` then, and `continue` when
 * the process continues, as it emits `resize` for another signal.
 */
function hearSuspension(): void {
  const suspend = () => {
    process.stderr.emit('suspend');
    // Without this listener the system stops the process, or not, where no shell could continue the process.
    process.removeListener('SIGTSTP', suspend);
    process.kill(process.pid, 'SIGTSTP');
    // The time of a stopped process passes too, so this comes soon after it continues.
    setTimeout(() => {
      process.on('SIGTSTP', suspend);
      process.stderr.emit('continue');
    }, STOPPING);
  };
  if (process.stderr.isTTY) process.on('SIGTSTP', suspend);
}

/** Sets the exit code, unless a failed output stream has already set it. */
export function exitWith(code: number): void {
  const isLost = process.exitCode === CLOSED || process.exitCode === CANNOT_GO_ON;
  process.exitCode = isLost ? process.exitCode : code;
}

/** Ends the process by the signal that it received, if any. A loop in a shell then stops too. */
export function endBySignal(): void {
  if (signalled !== undefined) endBy(signalled);
}

function endBy(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}
