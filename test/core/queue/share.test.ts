import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { createWorkerPool } from '../../../src/adapters/worker-pool.ts';
import { shareRenderer } from '../../../src/core/queue/share.ts';
import type { Renderer } from '../../../src/ports.ts';
import { childrenOf, workerPath } from '../../adapters/children.ts';
import { encoded, file, LIMITS, lopsided, named, scratch } from '../../image/pictures.ts';
import { rendererWith } from '../made-up.ts';

const folder = scratch();
let pool: Renderer;
afterEach(() => pool.close());

/** Milliseconds. No deadline of a request ends it here. */
const LONG = 3_600_000;
const REQUESTS: [string, (renderer: Renderer, path: string) => Promise<unknown>][] = [
  ['check of an output', (renderer, path) => renderer.inspect(path, LONG)],
  ['digest of sources', (renderer, path) => renderer.digest([named(path)], LONG)],
  ['picture that opens', (renderer, path) => renderer.open(named(path), { ...LIMITS, timeout: LONG })],
];

describe('a view of a renderer that is killed', () => {
  it.each(REQUESTS)('ends its %s at once, and the renderer works on for others', async (name, ask) => {
    const photo = file(folder, await encoded(lopsided(60, 40)).jpeg().toBuffer(), `${name}.jpg`);
    pool = createWorkerPool({ size: 1, workerPath });
    await pool.about();
    // A stopped child never answers.
    process.kill(childrenOf(process.pid)[0]!, 'SIGSTOP');
    const view = shareRenderer(pool);
    const refused = expect(ask(view, photo)).rejects.toMatchObject({ code: 'cancelled' });
    // The child is ready, so by the next turn of the event loop it has the request.
    await nextTurn();
    view.kill();
    await refused;
    await expect(ask(view, photo)).rejects.toMatchObject({ code: 'cancelled' });
    expect(await ask(shareRenderer(pool), photo)).toBeTruthy();
  });
});

describe('a shared renderer', () => {
  it('ends all its calls when it is killed, and no call of others', async () => {
    const signals: (AbortSignal | undefined)[] = [];
    const endless = (signal: AbortSignal | undefined) => {
      signals.push(signal);
      return new Promise<never>(() => {});
    };
    const all: Renderer = {
      ...rendererWith(() => {}),
      open: (_source, _limits, _variants, control) => endless(control?.signal),
      inspect: (_path, _timeout, signal) => endless(signal),
      digest: (_sources, _timeout, signal) => endless(signal),
      kill: () => expect.unreachable(),
    };
    const one = shareRenderer(all);
    const calls = () => [
      one.open({ path: 'a.jpg', bounds: null }, {} as never),
      one.inspect('a.jpg', 1),
      one.digest([], 1),
    ];
    const ended = Promise.allSettled(calls());
    shareRenderer(all).inspect('a.jpg', 1);
    one.kill();
    for (const each of [...(await ended), ...(await Promise.allSettled(calls()))]) {
      expect(each).toMatchObject({ status: 'rejected', reason: { code: 'cancelled' } });
    }
    expect(signals.map((signal) => signal?.aborted)).toEqual([true, true, true, false]);
  });
});
