import module from 'node:module';
import { asImgtoolError, failureOf } from '../errors.ts';
import type { RenderProgress } from '../model.ts';
import { inspect } from './inspect.ts';
import { digestAll } from './open.ts';
import { openPicture, type Picture } from './picture.ts';
import type { Message, Reply, Request } from './protocol.ts';
import { starved } from './unreadable.ts';
import { ENGINE } from './vips.ts';

/**
 * Bytes above which an idle child collects garbage. `external`: buffers, most of them pixels that nothing refers to any
 * more. Without a limit of its own, they double the memory of a child: 388 instead of 206 MB for photographs of 24
 * megapixels. `resident`: an idle child takes 75 MB, or 200 MB after many photographs.
 */
const COLLECT = { external: 64 * 2 ** 20, resident: 300 * 2 ** 20 };

// Node writes its compile cache at a normal exit, but a child process is killed.
(module as { readonly flushCompileCache?: () => void }).flushCompileCache?.();

let picture: Picture | null = null;

/**
 * Answers a request of the parent, with its milliseconds, and the CPU milliseconds of all threads so far. `send` gets
 * the progress before the answer.
 */
export async function answer(request: Request, send: (progress: Message) => void): Promise<Message> {
  const received = performance.now();
  const reply = await replyTo(request, send).catch((error: unknown): Reply => {
    return { type: 'failed', error: failureOf(starved(error) ?? asImgtoolError(error)) };
  });
  const { user, system } = process.cpuUsage();
  return { ...reply, took: { ms: performance.now() - received, cpu: (user + system) / 1000 } };
}

async function replyTo(request: Request, send: (progress: Message) => void): Promise<Reply> {
  switch (request.type) {
    case 'open':
      await closePicture();
      picture = await openPicture(request.source, request.limits, request.variants);
      return { type: 'opened', picture: picture.facts };
    case 'render': {
      if (picture === null) throw new Error('no picture is open');
      const report = createProgressReport((made) => send({ type: 'progress', ...made }));
      return { type: 'rendered', rendered: await picture.render(request.orders, request.atOnce, report) };
    }
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

/** A picture that is rendered within this many milliseconds needs no message of its progress. */
const SOON = 100;

function createProgressReport(send: (made: RenderProgress) => void): (made: RenderProgress) => void {
  const started = performance.now();
  return (made) => {
    if (performance.now() - started >= SOON) send(made);
  };
}

async function closePicture(): Promise<void> {
  const last = picture;
  picture = null;
  await last?.close();
}

/** Frees unreferenced pixels, so that memory does not grow from picture to picture. Returns the resident bytes. */
function restingMemory(): number {
  // A minor collection of 1 ms frees most of the last picture.
  globalThis.gc?.({ type: 'minor' });
  const { external, rss } = process.memoryUsage();
  if (external > COLLECT.external || rss > COLLECT.resident) {
    // The second collection frees what the first one found.
    for (let i = 0; i < 2; i++) globalThis.gc?.();
  }
  return process.memoryUsage.rss();
}
