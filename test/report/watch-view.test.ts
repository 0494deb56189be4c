import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Event } from '../../src/model.ts';
import { width } from '../../src/report/text.ts';
import { CONTROL, failedOf, HOSTILE, jobOf, renderedOf, watchSession } from './samples.ts';
import { HOUR, NOON, open, screenOf } from './watched.ts';

const batch = '7f3a9c';

beforeEach(() => {
  vi.useFakeTimers({ now: NOON });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe('the live part of a watch', () => {
  it('shows folders, pending images, the figures of the day, how to stop it and the latest events', () => {
    const lines = screenOf(watchSession().slice(0, -3), { after: 2.25 * HOUR, columns: 100 });
    expect(lines[0]).toMatch(/^imgtool watch {2}\.\/inbox -> \.\/out {3}web, 4 at a time +up 2h 15m$/);
    expect(lines.slice(1, 6)).toEqual([
      '',
      ' ● watching   3 folders  pending 1  processing 1  retrying 1',
      '   today      3 completed  1 duplicate  1 unchanged  1 failed  saved 8.1 MB (-87%)',
      '   batch      7f3a9c  stop: Ctrl-C, or imgtool cancel 7f3a9c',
      '',
    ]);
    expect(lines.slice(6).map((text) => /^ 12:00:00 {2}(.) .{33} {3}(.*)$/.exec(text)?.slice(1))).toEqual([
      ['✓', '2 outputs   3.1 MB -> 402 kB   171ms'],
      ['✓', '2 outputs   3.1 MB -> 402 kB   171ms'],
      ['=', 'same as 3.jpg'],
      ['✗', 'again in 30s: cut short: 12 kB of 340 kB'],
      ['…', 'still being written, waiting'],
      ['-', '2 outputs removed'],
      ['·', 'passed over: symlink'],
      ['✗', 'not an image: the content is PDF'],
    ]);
  });

  it('says what it does: looking, watching, polling, stopping, or finishing where it ends by itself', () => {
    const [started, walk] = watchSession() as [Event, Event];
    const watching = { type: 'watching', batch, folders: 1, by: 'polling' } as const;
    const stopping = { type: 'stopping', batch, finishing: 0, dropping: 0 } as const;
    expect(screenOf([started, walk])[2]).toBe(' ○ looking for images   pending 3  processing 0');
    const total = { type: 'total', batch, total: 3, bytes: 9_300_000 } as const;
    expect(screenOf([started, walk, total])[2]).toBe(' ○ finishing   pending 3  processing 0');
    expect(screenOf([started, watching])[2]).toBe(' ● polling    1 folder  pending 0  processing 0');
    expect(screenOf([started, watching, { ...watching, by: 'events' }])[2]).toContain(
      ' ● watching   1 folder',
    );
    const stopped = screenOf([started, watching, stopping]).join('\n');
    expect(stopped).toContain(' ■ stopping   1 folder');
    expect(stopped).not.toContain('Ctrl-C, or');
  });

  it('never shows a negative number of pending images', () => {
    const [started] = watchSession() as [Event];
    expect(screenOf([started, renderedOf('a.jpg'), renderedOf('b.jpg')])[2]).toContain('pending 0 ');
  });

  it('does not count a withdrawn source', () => {
    const [started, walk] = watchSession() as [Event, Event];
    const source = 'inbox/1.jpg';
    const error = { code: 'corrupt', message: 'cut short' };
    const events: Event[] = [
      ...[started, walk],
      { type: 'job.started', batch, source },
      { type: 'job.retrying', batch, source, attempts: 1, delay: 30_000, error },
      { type: 'withdrawn', batch, source },
    ];
    expect(screenOf(events)[2]).toBe(' ○ looking for images   pending 2  processing 0');
  });

  it('shows passed over files once the watch waits, with verbose from the start', () => {
    const [started] = watchSession() as [Event];
    const early: Event[] = [started, { type: 'passed_over', batch: 'b', path: 'inbox/a', reason: 'hidden' }];
    expect(screenOf(early).join('\n')).not.toContain('passed over');
    expect(screenOf(early, { verbose: true }).join('\n')).toContain('· a   passed over: hidden');
    expect(screenOf(watchSession().slice(0, -3)).join('\n')).not.toContain('hidden');
  });

  it('counts pictures of unsupported formats by kind', () => {
    const about = { reason: 'unsupported_format', kind: 'camera raw' } as const;
    const raw: Event = { type: 'passed_over', batch, path: 'inbox/a.cr2', ...about };
    const watching: Event = { type: 'watching', batch, folders: 3, by: 'events' };
    const lines = screenOf([...watchSession().slice(0, 8), watching, raw, { ...raw, kind: 'PDF' }]);
    expect(lines[4]).toBe('   aside      1 camera raw  1 PDF');
    expect(lines.join('\n')).toMatch(/· a\.cr2 +passed over: PDF$/m);
  });

  it('names files with their folder when it watches several', () => {
    const lines = screenOf([...watchSession().slice(0, 2), renderedOf('inbox/1.jpg')], {
      inputs: ['./inbox', 'b', 'c'],
    });
    expect(lines[0]).toContain('imgtool watch  ./inbox and 2 more -> ./out');
    expect(lines[6]).toContain(' ✓ inbox/1.jpg   2 outputs');
  });

  it('keeps the latest eight events, and a repeated one once', () => {
    const waiting = { type: 'still_written', batch, source: 'inbox/big.tif' } as const;
    const many = Array.from({ length: 500 }, (_, at) => renderedOf(`inbox/${at}.jpg`));
    const lines = screenOf([...watchSession().slice(0, 1), ...many, waiting, waiting, waiting]);
    expect(lines).toHaveLength(14);
    expect(lines[6]).toContain('493.jpg');
    expect(lines.filter((text) => text.includes('big.tif'))).toHaveLength(1);
  });

  it('starts the figures of the day at zero at midnight', () => {
    const { report, screen } = open();
    const [started] = watchSession() as [Event];
    for (const event of [started, renderedOf('a.jpg'), failedOf('b.jpg')]) report.event(event);
    vi.setSystemTime(NOON + 11.9 * HOUR);
    expect(screen()).toContain('   today      1 completed  1 failed  saved 2.7 MB (-87%)');
    vi.setSystemTime(NOON + 12 * HOUR);
    expect(screen()).toContain('   today      0 completed');
    report.event(jobOf('c.jpg', { state: 'duplicate', duplicateOf: 'a.jpg' }));
    expect(screen()).toContain('   today      0 completed  1 duplicate');
    report.close();
  });

  it('is never wider than the screen less one column, nor higher, from 20 columns to 120', () => {
    const quiet = watchSession()
      .slice(0, -3)
      .filter((event) => event.type !== 'warning' && !(event.type === 'job' && event.state === 'failed'));
    for (let columns = 20; columns <= 120; columns += 4) {
      for (const unicode of [true, false]) {
        for (const rows of [5, 12, 24]) {
          const lines = screenOf(quiet, { columns, rows, unicode });
          expect(Math.max(...lines.map(width))).toBeLessThan(columns);
          expect(lines.length).toBeLessThan(rows);
          expect(lines.join('')).not.toMatch(CONTROL);
        }
      }
    }
  });

  it('uses ASCII alone without Unicode', () => {
    const text = screenOf(watchSession().slice(0, -3), { unicode: false, rows: 40 }).join('\n');
    expect(text.replace(HOSTILE, '')).toMatch(/^[\n -~]*$/);
    expect(text).toMatch(/^ 12:00:00 {2}ok {2}3\.jpg/m);
    expect(text).toMatch(/^ 12:00:00 {2}\.\.\. big\.tif/m);
  });
});
