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
    expect(text).toContain(' ✗ 10 of 12 images in 31.4s, 2 failed   (0.4/s, 4 at a time)');
    expect(text).not.toContain('✓');
    expect(text).toContain('     Images   9 completed  1 duplicate  2 failed');
    expect(text).toContain('    Outputs   18 files (18 rendered)  -> ./out');
    expect(text).toContain('       Size   27.9 MB -> 3.6 MB  saved 24.3 MB (-87%)');
    expect(text).toMatch(/Time {3}p50 \d+ms {2}p95 \d+ms {2}max 800ms {2}decode 39% encode 57% io 4%/);
    expect(text).toContain(' 1 file passed over: 1 hidden');
    expect(text).toContain(' Failed (2)');
    expect(text).toContain("fix: leave it out with --exclude 'notes.*'");
    expect(text).toContain(' Next   imgtool status 7f3a9c');
  });

  it('points to retry only when it can help, and otherwise says what does', () => {
    const end = finishedOf({ completed: 5, failed: 2 });
    const lasting = [failedOf('a.jpg'), failedOf('b.jpg')];
    const useless = textOf([STARTED, ...lasting, end]);
    expect(useless).toContain(
      ' A retry alone does not help: first do what the fix lines say.\n Next   imgtool status',
    );
    expect(useless).not.toContain('imgtool retry');
    const passing = jobOf('c.jpg', { state: 'failed', error: { code: 'timeout', message: 'too slow' } });
    const useful = textOf([STARTED, lasting[0]!, passing, end]);
    expect(useful).toMatch(/Next {3}imgtool retry 7f3a9c +imgtool status 7f3a9c/);
    expect(useful).not.toContain('A retry alone');
    const resumed = textOf([STARTED, lasting[0]!, end]);
    expect(resumed).toContain(' Next   imgtool status 7f3a9c');
    expect(resumed).not.toContain('retry');
  });

  it('says how many outputs were rendered, linked, copied and kept', () => {
    const outputs = renderedOf('a.jpg').outputs ?? [];
    const done = (...actions: ('rendered' | 'linked' | 'copied' | 'kept')[]) =>
      jobOf('a.jpg', { outputs: actions.map((action, at) => ({ ...outputs[at % 2]!, action })) });
    const events = [done('rendered', 'kept', 'kept'), done('linked', 'linked'), done('copied')];
    const text = textOf([STARTED, ...events, finishedOf({ completed: 3 })]);
    expect(text).toContain('Outputs   6 files (1 rendered, 2 linked, 1 copied, 2 kept)  -> ./out');
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
      jobOf(source, { format, pages: 3, firstOnly: true, outputs: [], ...given });
    const events = [
      ...[of('a', 'gif'), of('b', 'png', { state: 'duplicate' }), of('c', 'tiff')],
      ...[of('d', 'gif', { state: 'unchanged' }), of('e', 'gif', { state: 'failed' })],
    ];
    const text = textOf([STARTED, ...events, finishedOf({ completed: 5 })]);
    expect(text).toContain(
      '\n 2 animations: still outputs have the first frame\n 1 multi-page TIFF: first page only\n',
    );
  });

  it('shows failures with the same cause once, with their number and some names', () => {
    const text = textOf(many());
    expect(text).toContain(' Failed (51)');
    expect(text.match(/fix: /g)).toHaveLength(1);
    expect(text).toContain(
      [
        '   photos/0.jpg  not an image: the content is PDF',
        "   photos/1.jpg  fix: leave it out with --exclude 'notes.*'",
        '   photos/2.jpg',
        '   … 51 in all',
      ].join('\n'),
    );
  });

  it('shows the most frequent cause first, and the parts that differ as dots', () => {
    const larger = ['a.jpg', 'b.jpg'].map((name, at) => {
      return failedOf(name, `${name}: cut short: ${at + 5} kB of ${at + 60} kB (magic bytes 7${at} 65 7a)`);
    });
    const text = textOf([STARTED, failedOf('z.jpg', 'is empty'), ...larger, finishedOf({ failed: 3 })]);
    expect(text).toMatch(
      / {3}a\.jpg {2}cut short: \.\.\. kB of \.\.\. kB \(magic bytes \.\.\.\)\n[\s\S]*z\.jpg {2}is empty/,
    );
  });

  it('keeps twenty causes and points to the rest', () => {
    const word = (at: number) => String.fromCharCode(97 + (at % 26), 97 + Math.floor(at / 26));
    const causes = Array.from({ length: 51 }, (_, at) => failedOf(`${at}.jpg`, `cause ${word(at)}x`));
    const text = textOf([STARTED, ...causes, finishedOf({ failed: 51 })]);
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
    const passing = jobOf('a.jpg', { state: 'failed', error: { code: 'io', message: 'EIO' } });
    const failed = textOf([STARTED, passing, passing, finishedOf({ completed: 5, failed: 2 })]);
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
    expect(text).toContain(' ○ Dry run of 5 images in 31.4s: nothing was written\n');
    expect(text).not.toMatch(/✓|finished|completed/);
    const cut = finishedOf(counts, { dryRun: true, state: 'cancelled' });
    expect(textOf([STARTED, ...dryRun(), cut])).toContain(
      ' ○ Dry run stopped after 5 images in 31.4s: nothing was written\n',
    );
    expect(text).toContain(' would write 6 files (2 variants x 3 images) to ./out; 1 duplicate, 1 unchanged');
    expect(text).not.toContain('imgtool status');
  });

  it('counts pictures of unsupported formats by kind, before what else was passed over', () => {
    const events = ['PDF', 'camera raw', 'camera raw'].map((kind, i): Event => {
      return { type: 'passed_over', batch: 'b', path: `${i}`, reason: 'unsupported_format', kind };
    });
    const hidden: Event = { type: 'passed_over', batch: 'b', path: '.a', reason: 'hidden' };
    expect(textOf([hidden, ...events, finishedOf({}, { passedOver: 4 })])).toContain(
      ' 4 files passed over: 2 camera raw, 1 PDF, 1 hidden',
    );
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
      { ...jobOf('c.jpg', { state: 'unchanged' }), degraded: true },
      finishedOf({ completed: 2, unchanged: 1 }, { degraded: 2 }),
    ]);
    expect(text).toContain('2 completed (1 reused)  1 unchanged');
    expect(text).toContain(
      '\n 2 images are damaged, and their outputs show what could be read: b.jpg, c.jpg\n',
    );
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
