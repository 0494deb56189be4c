import { describe, expect, it } from 'vitest';
import { BatchTotals } from '../../src/model/totals.ts';
import type { Event, JobEvent } from '../../src/model.ts';
import { summaryLines } from '../../src/report/summary.ts';
import { width } from '../../src/report/text.ts';
import { CONTROL, failedOf, finishedOf, jobOf, renderedOf, session, styleOf } from './samples.ts';

const STARTED = {
  type: 'batch.started',
  batch: '7f3a9c',
  total: 9,
  bytes: 1,
  out: './out',
  preset: 'web',
  jobs: 4,
} as const;

describe('the closing summary', () => {
  it('shows images, outputs, sizes, times, failures with their fix, and the next commands', () => {
    const text = textOf(session());
    expect(text).toContain(' ✓ 10 of 12 images in 31.4s   (0.4/s, 4 at a time)');
    expect(text).toContain('     Images   9 completed  1 duplicate  2 failed');
    expect(text).toContain('    Outputs   18 files  -> ./out');
    expect(text).toContain('       Size   27.9 MB -> 3.6 MB  saved 24.3 MB (-87%)');
    expect(text).toMatch(/Time {3}p50 \d+ms {2}p95 \d+ms {2}max 800ms {2}decode 39% encode 57% io 4%/);
    expect(text).toContain(' 1 file passed over: 1 hidden');
    expect(text).toContain(' Failed (2)');
    expect(text).toContain("fix: leave it out with --exclude 'notes.*'");
    expect(text).toContain(' Next   imgtool retry 7f3a9c  imgtool status 7f3a9c');
  });

  it('is never wider than the screen, from 20 columns to 120, and holds no control codes', () => {
    const cancelled = [STARTED, finishedOf({ completed: 812, cancelled: 472 }, { state: 'cancelled' })];
    const dry = [STARTED, ...dryRun(), finishedOf({ completed: 3 }, { dryRun: true })];
    for (const events of [session(), cancelled, dry, [finishedOf({})], many()]) {
      for (let columns = 20; columns <= 120; columns++) {
        for (const unicode of [true, false]) {
          const lines = linesOf(events, columns, unicode);
          expect(Math.max(...lines.map(width))).toBeLessThanOrEqual(columns);
          expect(lines.join('')).not.toMatch(CONTROL);
        }
      }
    }
  });

  it('counts animations and documents of which only the first page was rendered', () => {
    const of = (source: string, format: string, given: Partial<JobEvent> = {}) =>
      jobOf(source, { format, pages: 3, outputs: [], ...given });
    const events = [
      ...[of('a', 'gif'), of('b', 'png', { state: 'duplicate' }), of('c', 'tiff')],
      ...[of('d', 'gif', { state: 'unchanged' }), of('e', 'gif', { state: 'failed' })],
    ];
    const text = textOf([STARTED, ...events, finishedOf({ completed: 5 })]);
    expect(text).toContain('\n 2 animations: first frame only\n 1 multi-page TIFF: first page only\n');
  });

  it('keeps twenty failures and points to the rest', () => {
    const text = textOf(many());
    expect(text).toContain(' Failed (51)');
    expect(text.match(/fix: /g)).toHaveLength(20);
    expect(text).toContain('   ... and 31 more: imgtool status 7f3a9c');
  });

  it('says how far a cancelled batch came and how to continue it', () => {
    const text = textOf([STARTED, finishedOf({ completed: 812, cancelled: 472 }, { state: 'cancelled' })]);
    expect(text).toContain(' ■ Cancelled after 812 of 1,284. Temp files removed.');
    expect(text).toContain(' Run the same command again, or: imgtool resume 7f3a9c');
  });

  it('gives the rate of the resumed run and the counts of the whole batch', () => {
    const text = textOf([
      { ...STARTED, total: 2, resumed: true },
      renderedOf('a.jpg'),
      renderedOf('b.jpg'),
      finishedOf({ completed: 1_000 }, { ms: 4_000 }),
    ]);
    expect(text).toContain(' ✓ 1,000 images in 4.0s   (0.5/s, 4 at a time)');
    expect(text).toContain('     Images   1,000 completed');
  });

  it('points to retry when images failed and to resume when images are left', () => {
    const failed = textOf([STARTED, finishedOf({ completed: 5, failed: 2 })]);
    expect(failed).toMatch(/Next {3}imgtool retry 7f3a9c +imgtool status 7f3a9c/);
    expect(failed).not.toContain('resume');
    const clean = textOf([STARTED, finishedOf({ completed: 5 })]);
    expect(clean).toMatch(/Next {3}imgtool status 7f3a9c/);
    expect(clean).not.toMatch(/retry|resume/);
  });

  it('says that a batch was interrupted', () => {
    const text = textOf([STARTED, finishedOf({ completed: 5, pending: 7 }, { state: 'interrupted' })]);
    expect(text).toContain(' ■ Interrupted after 5 of 12.');
    expect(text).toContain('7 pending');
  });

  it('says what a dry run would write', () => {
    const counts = { completed: 3, duplicate: 1, unchanged: 1 };
    const text = textOf([STARTED, ...dryRun(), finishedOf(counts, { dryRun: true })]);
    expect(text).toContain(' would write 6 files (2 variants x 3 images) to ./out; 1 duplicate, 1 unchanged');
    expect(text).not.toContain('imgtool status');
  });

  it('says that no images were found, and which files were passed over', () => {
    expect(textOf([{ type: 'passed_over', batch: 'b', path: '.a', reason: 'hidden' }, finishedOf({})])).toBe(
      ' No images found.\n 1 file passed over: 1 hidden',
    );
  });

  it('counts what was reused and what was damaged', () => {
    const text = textOf([
      STARTED,
      { ...renderedOf('a.jpg'), reused: true },
      { ...renderedOf('b.jpg'), degraded: true },
      finishedOf({ completed: 2 }),
    ]);
    expect(text).toContain('2 completed (1 reused, 1 damaged but accepted)');
  });

  it('says when the outputs are larger than the sources', () => {
    const text = textOf([
      STARTED,
      renderedOf('a.png'),
      finishedOf({ completed: 1 }, { bytesIn: 100, bytesOut: 150 }),
    ]);
    expect(text).toContain('100 B -> 150 B  grew by 50 B (+50%)');
  });
});

function dryRun(): Event[] {
  const files = (name: string) => ['thumbnail', 'medium'].map((variant) => `out/${name}_${variant}.webp`);
  return [
    ...['a', 'b', 'c'].map((name) => jobOf(`${name}.jpg`, { would: 'render', wouldWrite: files(name) })),
    jobOf('d.jpg', { state: 'duplicate', would: 'duplicate' }),
    jobOf('e.jpg', { state: 'unchanged', would: 'unchanged' }),
  ];
}

function many(): Event[] {
  const failures = Array.from({ length: 51 }, (_, at) => failedOf(`photos/${at}.jpg`));
  return [STARTED, ...failures, finishedOf({ failed: 51 })];
}

function textOf(events: readonly Event[]): string {
  return linesOf(events, 80, true).join('\n');
}

function linesOf(events: readonly Event[], columns: number, unicode: boolean): string[] {
  const totals = new BatchTotals();
  for (const event of events) totals.add(event, 0);
  return summaryLines(totals, styleOf({ width: columns, unicode }));
}
