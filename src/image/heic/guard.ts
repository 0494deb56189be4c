import { Worker } from 'node:worker_threads';

/** How often, in milliseconds, the guard looks for the parent. */
const EVERY = 250;

/**
 * What the guard runs, as text: it needs no file of its own. The number of the parent changes when the parent exits.
 * Windows keeps that number, so there the child process ends only after the picture.
 */
const CODE = `
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
}, ${EVERY});
`;

let guard: Worker | null = null;

/**
 * Ends this child process when its parent exits. While libheif decodes, the main thread hears nothing for seconds, not
 * even `disconnect`; this thread does. Can be called for each picture.
 */
export function guardDecoding(): void {
  if (guard !== null || process.connected !== true) return;
  guard = new Worker(CODE, { eval: true, execArgv: [] });
  guard.unref();
}
