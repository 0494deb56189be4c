import { constants } from 'node:os';
import { systemCode } from '../errors.ts';

/** A second Ctrl-C sooner than this is the same one, delivered twice by `npm start`; milliseconds. */
const SAME_SIGNAL = 300;
/** How long the ends of a forced stop may take before the process goes all the same; milliseconds. */
const FORCED_END = 700;
/** Exit code when nobody reads the output any more: 128 + SIGPIPE. */
const CLOSED = 141;
/** Exit code when the output has no place any more. */
const UNWRITABLE = 3;

/** Where this process writes. */
export const streams = { stdout: process.stdout, stderr: process.stderr };

const stop = new AbortController();
let signalled: NodeJS.Signals | undefined;

/** Ends with the command: the first signal stops a batch in order. */
export const stopped: AbortSignal = stop.signal;

/** Takes a closed output as the wish to stop. */
export function hearStreams(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error) => {
      const code = systemCode(error);
      if (code !== 'EPIPE' && stream === process.stdout) {
        process.stderr.write(`error: standard output cannot be written (${code ?? error.message})\n`);
      }
      process.exitCode = code === 'EPIPE' ? CLOSED : UNWRITABLE;
      stop.abort(code === 'EPIPE' ? CLOSED : undefined);
    });
  }
}

/** From here on the first signal stops in order, a second one at once: by `force`, and then by the end of the process. */
export function hearSignals(force: () => void = () => {}): void {
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

/** An output that nobody gets is the last word on the exit code. */
export function exitWith(code: number): void {
  const isLost = process.exitCode === CLOSED || process.exitCode === UNWRITABLE;
  process.exitCode = isLost ? process.exitCode : code;
}

/** Ends by the signal that was heard, if one was. */
export function endAsTold(): void {
  if (signalled !== undefined) endBy(signalled);
}

/** Ends as a program without a handler would, so that a shell's loop stops too. */
function endBy(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}
