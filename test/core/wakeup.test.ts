import { describe, expect, it } from 'vitest';
import { openWakeup } from '../../src/core/clock.ts';
import { openIntake } from '../../src/core/queue/puller.ts';
import { makeClock } from './made-up-clock.ts';

describe('a wakeup', () => {
  it('wakes the waiting caller', async () => {
    const { wait, wake } = openWakeup(makeClock());
    const waiting = wait();
    wake();
    expect(await waiting).toBe(true);
  });

  it('is kept for a later wait, but several wakes count once', async () => {
    const clock = makeClock();
    const { wait, wake } = openWakeup(clock);
    wake();
    wake();
    expect(await wait()).toBe(true);
    const second = wait(100);
    await clock.advance(100);
    expect(await second).toBe(false);
  });

  it('ends a wait after the given time', async () => {
    const clock = makeClock();
    const { wait } = openWakeup(clock);
    let woken: boolean | undefined;
    const waiting = wait(100).then((one) => {
      woken = one;
    });
    await clock.advance(99);
    expect(woken).toBeUndefined();
    await clock.advance(1);
    await waiting;
    expect(woken).toBe(false);
  });

  it('leaves no timer after a wake in time', async () => {
    const clock = makeClock();
    const { wait, wake } = openWakeup(clock);
    const waiting = wait(100);
    expect(clock.waiting).toBe(1);
    wake();
    expect([await waiting, clock.waiting]).toEqual([true, 0]);
  });

  it('wakes at the end of an intake', async () => {
    const intake = openIntake();
    const waiting = intake.wait();
    expect(intake.ended).toBe(false);
    intake.end();
    expect([await waiting, intake.ended]).toEqual([true, true]);
  });
});
