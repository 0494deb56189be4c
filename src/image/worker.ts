// The child process's entry. Nothing is imported statically: until the listeners below are there, a Ctrl-C, which a
// terminal sends to the children too, would end the child in the middle of loading its libraries.
import type { Picture } from './picture.ts';
import type { Message, Reply, Request } from './protocol.ts';

/** Bytes of memory; an idle child that has done little takes some 75 MB, one that was busy with photographs 200. */
const COLLECT = 300 * 2 ** 20;

/** A child takes its orders from its parent alone. */
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});

/** The parent is gone. `process.exit` would wait for the encoder. */
process.on('disconnect', end);
if (!process.connected) end();

function end(): void {
  process.kill(process.pid, 'SIGKILL');
}

function reply(message: Message): void {
  // A failed send means that the channel is closed, and then `disconnect` ends the child.
  process.send?.(message, () => {});
}

const { asImgtoolError, digestAll, ENGINE, inspect, openPicture, starved } = await import('./work.ts');

let picture: Picture | null = null;

process.on('message', (request: Request) => {
  const heard = performance.now();
  answer(request)
    .catch((error: unknown): Reply => {
      const { code, message, fix } = starved(error) ?? asImgtoolError(error);
      return { type: 'failed', error: fix === undefined ? { code, message } : { code, message, fix } };
    })
    .then((message) => reply({ ...message, took: { ms: performance.now() - heard, cpu: cpu() } }));
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

/** Milliseconds of all threads. */
function cpu(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/**
 * Pixels that nothing points at any more are given back by collecting: those of the last picture at once, which takes a
 * millisecond, all others only when it is worth the time. So the hundredth picture finds as much room as the first.
 */
function restingMemory(): number {
  globalThis.gc?.({ type: 'minor' });
  if (process.memoryUsage.rss() > COLLECT) {
    // What one collection has found is given back by the next one at the latest.
    for (let i = 0; i < 2; i++) globalThis.gc?.();
  }
  return process.memoryUsage.rss();
}
