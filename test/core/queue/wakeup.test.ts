import { describe, expect, it } from 'vitest';
import { announce, openNews } from '../../../src/core/queue/wakeup.ts';
import { makeClock } from '../made-up-clock.ts';

describe('news', () => {
  it('wakes whoever waits for it', async () => {
    const { news, wake } = openNews(makeClock());
    const waiting = news();
    wake();
    expect(await waiting).toBe(true);
  });

  it('is kept for whoever comes later, once however often it was told', async () => {
    const clock = makeClock();
    const { news, wake } = openNews(clock);
    wake();
    wake();
    expect(await news()).toBe(true);
    const second = news(100);
    await clock.advance(100);
    expect(await second).toBe(false);
  });

  it('is waited for no longer than was said', async () => {
    const clock = makeClock();
    const { news } = openNews(clock);
    let woken: boolean | undefined;
    const waiting = news(100).then((one) => {
      woken = one;
    });
    await clock.advance(99);
    expect(woken).toBeUndefined();
    await clock.advance(1);
    await waiting;
    expect(woken).toBe(false);
  });

  it('leaves no call of the clock behind when it came in time', async () => {
    const clock = makeClock();
    const { news, wake } = openNews(clock);
    const waiting = news(100);
    expect(clock.waiting).toBe(1);
    wake();
    expect([await waiting, clock.waiting]).toEqual([true, 0]);
  });

  it('is also that there will be no more', async () => {
    const intake = announce();
    const waiting = intake.news();
    expect(intake.ended).toBe(false);
    intake.end();
    expect([await waiting, intake.ended]).toEqual([true, true]);
  });
});
