import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Event } from '../../src/model.ts';
import { failedOf, finishedOf, watchSession } from './samples.ts';
import { NOON, open, played } from './watched.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: NOON });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe('the report of a watch on a terminal', () => {
  it('redraws once a second in the first minute, later once a minute, while nothing happens', () => {
    const { report, stream } = open();
    for (const event of watchSession().slice(0, 10)) report.event(event);
    vi.advanceTimersByTime(500);
    const writes = vi.spyOn(stream, 'write');
    vi.advanceTimersByTime(10_000);
    expect(writes.mock.calls.length).toBe(10);
    vi.advanceTimersByTime(60_000);
    writes.mockClear();
    vi.advanceTimersByTime(600_000);
    expect(writes.mock.calls.length).toBe(10);
    report.close();
  });

  it('prints warnings and failures with their fix once', () => {
    const { text } = played();
    expect(text.split(' ! the folder inbox/x is not watched\n   fix: sysctl more=1\n')).toHaveLength(2);
    expect(text).toMatch(/ ✗ inbox\/evil.* {2}not an image: the content is PDF\n {3}fix: leave it out with /);
    expect(text).toContain('Stopping: finishing 1 image, dropping 0.');
  });

  it('ends with its duration, its counts and the command that shows failures', () => {
    expect(played().text.trimEnd().split('\n').slice(-2)).toEqual([
      ' ■ Stopped after 2h 14m: 4 completed, 1 duplicate, 1 unchanged, 1 failed.',
      ' Next   imgtool status 7f3a9c',
    ]);
  });

  it('says that it finished when nothing was left, and mentions no failures', () => {
    const { text } = played([...watchSession().slice(0, 8), finishedOf({ completed: 3 }, { ms: 12_400 })]);
    expect(text.endsWith('\n ✓ Finished after 12s: 3 completed.\n')).toBe(true);
  });

  it('counts pictures of unsupported formats in its last line', () => {
    const about = { reason: 'unsupported_format', kind: 'camera raw' } as const;
    const raw: Event = { type: 'passed_over', batch: 'b', path: 'a.cr2', ...about };
    const { text } = played([raw, raw, finishedOf({ completed: 3 }, { ms: 12_400 })]);
    expect(text.endsWith('\n ✓ Finished after 12s: 3 completed. Passed over: 2 camera raw.\n')).toBe(true);
  });

  it('has no tick when images failed', () => {
    const { text } = played([
      failedOf('inbox/a.jpg'),
      finishedOf({ completed: 3, failed: 1 }, { ms: 12_400 }),
    ]);
    expect(text).toContain('\n ✗ Finished after 12s: 3 completed, 1 failed.\n');
    expect(text).not.toContain('✓');
  });

  it('says how to continue when images were left', () => {
    const { text } = played([finishedOf({ completed: 3, cancelled: 2 }, { state: 'cancelled', ms: 60_000 })]);
    expect(text).toContain(' ■ Stopped after 1m: 3 completed, 2 cancelled.\n Run the same command again');
  });

  it('shows the cursor when closed at any moment, also twice', () => {
    const events = watchSession();
    const listeners = process.listenerCount('exit');
    for (let end = 0; end <= events.length; end++) {
      const { report, stream } = open();
      for (const event of events.slice(0, end)) report.event(event);
      report.close();
      const text = stream.text();
      report.close();
      expect(stream.text()).toBe(text);
      expect(text.lastIndexOf('\u001b[?25h')).toBeGreaterThanOrEqual(text.lastIndexOf('\u001b[?25l'));
      expect(vi.getTimerCount()).toBe(0);
      expect(process.listenerCount('exit')).toBe(listeners);
    }
  });

  it('uses no colour when there is none', () => {
    expect(played().stream.text()).not.toMatch(/\u001b\[\d+(;\d+)*m/);
  });
});
