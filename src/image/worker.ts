// The child process's entry point. It has no static imports of code: a terminal sends Ctrl-C to child processes too,
// and without the listeners below the signal would end a child that is still loading its libraries.
import type { Picture } from './picture.ts';
import type { Message, Reply, Request } from './protocol.ts';

/** Resident bytes above which to collect garbage. An idle child takes 75 MB, or 200 MB after many photographs. */
const COLLECT = 300 * 2 ** 20;

/** Only the parent ends a child process. */
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});

/** The parent has exited. `process.exit` would wait for the encoder. */
process.on('disconnect', end);
if (!process.connected) end();

function end(): void {
  process.kill(process.pid, 'SIGKILL');
}

function reply(message: Message): void {
  // Sending fails only when the channel is closed, and then `disconnect` ends the child process.
  process.send?.(message, () => {});
}

const { asImgtoolError, digestAll, ENGINE, inspect, openPicture, starved } = await import('./work.ts');

let picture: Picture | null = null;

process.on('message', (request: Request) => {
  const received = performance.now();
  answer(request)
    .catch((error: unknown): Reply => {
      const { code, message, fix } = starved(error) ?? asImgtoolError(error);
      return { type: 'failed', error: fix === undefined ? { code, message } : { code, message, fix } };
    })
    .then((message) => reply({ ...message, took: { ms: performance.now() - received, cpu: cpu() } }));
});
reply({ type: 'ready' });

async function answer(request: Request): Promise<Reply> {
  switch (request.type) {
    case 'open':
      await closePicture();
      picture = await openPicture(request.source, request.limits, request.variants);
      return { type: 'opened', picture: picture.facts };
    case 'render':
      if (picture === null) throw new Error('no picture is open');
      return { type: 'rendered', rendered: await picture.render(request.orders, request.atOnce) };
    case 'release':
      await closePicture();
      return { type: 'resting', memory: restingMemory() };
    case 'inspect':
      return { type: 'inspected', inspected: await inspect(request.path) };
    case 'digest':
      return { type: 'digested', digested: await digestAll(request.sources) };
    case 'about':
      return { type: 'about', engine: ENGINE };
  }
}

async function closePicture(): Promise<void> {
  const last = picture;
  picture = null;
  await last?.close();
}

/** CPU milliseconds of all threads. */
function cpu(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/**
 * Frees unreferenced pixels, and returns the resident bytes. A minor collection of 1 ms frees the last picture. A full
 * collection runs only above the threshold. The memory of the child process therefore does not grow from picture to
 * picture.
 */
function restingMemory(): number {
  globalThis.gc?.({ type: 'minor' });
  if (process.memoryUsage.rss() > COLLECT) {
    // The second collection frees what the first one found.
    for (let i = 0; i < 2; i++) globalThis.gc?.();
  }
  return process.memoryUsage.rss();
}
