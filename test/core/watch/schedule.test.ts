import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openSchedule, type Schedule } from '../../../src/core/watch/schedule.ts';
import { type MadeUpClock, makeClock } from '../made-up-clock.ts';

const INTERVAL = 60_000;

let clock: MadeUpClock;
let schedule: Schedule;
beforeEach(() => {
  clock = makeClock();
  schedule = openSchedule(INTERVAL, clock);
});
afterEach(() => vi.restoreAllMocks());

/** A walk of this many milliseconds that missed nothing. */
function walk(took: number): void {
  schedule.walking();
  schedule.walked(took);
}

describe('the next walk through everything', () => {
  it('is due at once before the first walk', () => {
    expect([schedule.isDue(), schedule.left()]).toEqual([true, 0]);
  });

  it('is due at random between three quarters and five quarters of the interval after the last walk', () => {
    const left = Array.from({ length: 500 }, () => {
      walk(1);
      return schedule.left();
    });
    expect(Math.min(...left)).toBeGreaterThanOrEqual(0.75 * INTERVAL);
    expect(Math.max(...left)).toBeLessThanOrEqual(1.25 * INTERVAL);
    expect(Math.max(...left) - Math.min(...left)).toBeGreaterThan(0.25 * INTERVAL);
  });

  it('is due exactly at its time', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    walk(1);
    await clock.advance(INTERVAL - 1);
    expect([schedule.isDue(), schedule.left()]).toEqual([false, 1]);
    await clock.advance(1);
    expect([schedule.isDue(), schedule.left()]).toEqual([true, 0]);
    await clock.advance(1_000);
    expect(schedule.left()).toBe(0);
  });

  it('is due at once, but only once, when a change may have been missed', () => {
    walk(0);
    schedule.hurry();
    schedule.hurry();
    expect(schedule.isDue()).toBe(true);
    walk(0);
    expect(schedule.isDue()).toBe(false);
  });

  it('waits ten times as long as the last walk took, even if hurried several times', async () => {
    walk(500);
    schedule.hurry();
    expect(schedule.left()).toBe(5_000);
    await clock.advance(3_000);
    schedule.hurry();
    expect(schedule.left()).toBe(2_000);
    await clock.advance(2_000);
    expect(schedule.isDue()).toBe(true);
  });

  it('waits ten times as long as the last walk took, even if that is longer than the interval', () => {
    walk(20_000);
    expect(schedule.left()).toBe(200_000);
  });

  it('is due soon, but only once, when a change may have been missed during the last walk', async () => {
    walk(0);
    schedule.hurry();
    schedule.walking();
    schedule.hurry();
    schedule.walked(500);
    expect(schedule.left()).toBe(5_000);
    await clock.advance(5_000);
    walk(500);
    expect(schedule.left()).toBeGreaterThan(5_000);
  });

  it('is not delayed by a change that may have been missed', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    walk(0);
    await clock.advance(INTERVAL + 5);
    schedule.hurry();
    expect(schedule.isDue()).toBe(true);
  });
});
