import { describe, expect, it } from 'vitest';
import { createFollower } from '../../src/report/follow.ts';
import { width } from '../../src/report/text.ts';
import { batchOf, HOSTILE, NOTHING, recordOf, styleOf } from './samples.ts';

const SECOND = 1_000;
const running = (completed: number, given: Parameters<typeof batchOf>[0] = {}) => {
  const counts = { ...NOTHING, completed, processing: 4, pending: 96 - completed };
  return batchOf({ state: 'running', finishedAt: null, counts, jobs: 2, ...given });
};
/** In the order of their names, with the numbers of the order of work. */
const IN_WORK = [4, 3, 1, 2].map((id, at) => recordOf(`/photos/${at}.jpg`, { id, state: 'processing' }));

describe('the page of a batch that is followed', () => {
  it('has bar, rate and time left, and as many of the jobs taken first as are in work', () => {
    const follow = createFollower(() => 24);
    const look = (completed: number, now: number) =>
      follow(IN_WORK, running(completed), [], styleOf(), now).split('\n');
    expect(look(10, 0)[5]).toMatch(/^ ━+╸─+ {3}10% {3}10\/100 {3}- {3}ETA -$/);
    const lines = look(30, 4 * SECOND);
    expect(lines[5]).toMatch(/^ ━+╸─+ {3}30% {3}30\/100 {3}5\.0\/s {3}ETA 0:14$/);
    expect(lines.slice(6)).toEqual(['', '   /photos/2.jpg', '   /photos/3.jpg', '']);
  });

  it('counts the finished variants of images in work as their share of the image', () => {
    const follow = createFollower(() => 24);
    const look = (share: number, now: number) => {
      const part = { done: Math.round(share * 4), total: 4, share };
      const inWork = [recordOf('/photos/a.jpg', { state: 'processing', part })];
      const counts = { ...NOTHING, processing: 1, pending: 1 };
      return follow(inWork, running(0, { counts }), [], styleOf(), now).split('\n');
    };
    expect(look(0.25, 0)[5]).toMatch(/ 12% {3}0\/2 {3}- {3}ETA -$/);
    const lines = look(0.75, 5 * SECOND);
    expect(lines[5]).toMatch(/ 37% {3}0\/2 {3}- {3}ETA 0:13$/);
    expect(lines[7]).toBe('   /photos/a.jpg  3 of 4');
  });

  it('counts without a total while the walk goes on, and for a watch', () => {
    for (const given of [{ walkEnded: false }, { command: 'watch' }] as const) {
      expect(createFollower(() => 24)([], running(10, given), [], styleOf(), 0)).toContain(
        ' 10 done, 100 found so far',
      );
    }
  });

  it('leaves a row of the terminal free while the batch runs, and has all lines once it has ended', () => {
    const jobs = Array.from({ length: 50 }, (_, at) => recordOf(`/photos/${at}.jpg`));
    const follow = createFollower(() => 12);
    const page = follow(IN_WORK, running(10), jobs, styleOf(), 0);
    expect(page.split('\n')).toHaveLength(12);
    const ended = follow([], batchOf(), jobs, styleOf(), 0);
    expect(ended).toContain('/photos/49.jpg');
    expect(ended).not.toContain('ETA');
  });

  it('is never wider than the screen', () => {
    const inWork = [
      recordOf(`/photos/${HOSTILE}`),
      recordOf(`/photos/${'とても長い名前の写真'.repeat(9)}.jpg`),
    ];
    for (let columns = 20; columns <= 120; columns++) {
      const page = createFollower(() => 24)(inWork, running(10), [], styleOf({ width: columns }), 0);
      expect(Math.max(...page.split('\n').map(width))).toBeLessThanOrEqual(columns);
    }
  });
});
