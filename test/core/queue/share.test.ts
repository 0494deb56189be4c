import { describe, expect, it } from 'vitest';
import { shareRenderer } from '../../../src/core/queue/share.ts';
import type { Renderer } from '../../../src/ports.ts';
import { rendererWith } from '../made-up.ts';

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
