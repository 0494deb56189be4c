import { describe, expect, it } from 'vitest';
import { metered, openMeter } from '../../../src/core/batch/profile.ts';

describe('a meter', () => {
  it('times a promise until it resolves or rejects, and returns it unchanged', async () => {
    let now = 0;
    const meter = openMeter(() => now);
    const port = metered(
      {
        async give(ms: number) {
          now += ms;
          await Promise.resolve();
          now += ms;
          return ms;
        },
        async fail() {
          now += 5;
          throw new Error('as asked');
        },
      },
      meter,
    );
    expect(await port.give(10)).toBe(10);
    await expect(port.fail()).rejects.toThrow('as asked');
    expect(meter.part()).toEqual({
      ...{ calls: 2, ms: 25 },
      of: { give: { calls: 1, ms: 20 }, fail: { calls: 1, ms: 5 } },
    });
  });

  it('times the waits for the items of a stream, not the work on the items', async () => {
    let now = 0;
    const meter = openMeter(() => now);
    const port = metered(
      {
        async *walk() {
          for (const item of ['a', 'b']) {
            now += 10;
            yield item;
          }
          now += 3;
        },
      },
      meter,
    );
    const met: string[] = [];
    for await (const item of port.walk()) {
      met.push(item);
      now += 1_000;
    }
    expect(met).toEqual(['a', 'b']);
    expect(meter.calls('walk')).toEqual({ calls: 1, ms: 23 });
  });

  it('ends a stream that is left early', async () => {
    let ended = false;
    const port = metered(
      {
        async *walk() {
          try {
            yield 1;
            yield 2;
          } finally {
            ended = true;
          }
        },
      },
      openMeter(),
    );
    for await (const item of port.walk()) {
      expect(item).toBe(1);
      break;
    }
    expect(ended).toBe(true);
  });

  it('shows the current values of a port that are not methods', () => {
    const port = { folders: ['a'], at: () => port.folders.length };
    const seen = metered(port, openMeter());
    port.folders.push('b');
    expect(seen.folders).toEqual(['a', 'b']);
    expect({ ...seen }.at()).toBe(2);
  });
});
