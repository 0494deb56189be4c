import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Event } from '../../src/model.ts';
import { createPlainReport } from '../../src/report/plain.ts';
import { profileLines } from '../../src/report/profile.ts';
import {
  CONTROL,
  failedOf,
  finishedOf,
  jobOf,
  memoryStream,
  PROFILE,
  renderedOf,
  session,
} from './samples.ts';

const STARTED = {
  type: 'batch.started',
  batch: '7f3a9c',
  total: 12,
  bytes: 37_200_000,
  out: './out',
  preset: 'web',
  jobs: 4,
} as const;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('plain lines', () => {
  it('say what starts, what fails and how the batch ended', () => {
    const text = textOf(session());
    expect(text).toContain('imgtool: batch 7f3a9c: 12 images, 37.2 MB, out=./out, jobs=4\n');
    expect(text).toContain('imgtool: error: photos/notes.jpg: not an image: the content is PDF\n');
    expect(text).toContain('imgtool: finished 12 in 31.4s: completed=9 duplicate=1 failed=2\n');
    expect(text).toContain(
      'imgtool: size 27.9MB -> 3.6MB saved=24.3MB (87%) outputs=18 (18 rendered) out=./out\n',
    );
  });

  it('give the number of images that a resumed batch has left, without their bytes', () => {
    const text = textOf([{ ...STARTED, total: 12, resumed: true }, finishedOf({ completed: 40 })]);
    expect(text).toContain('imgtool: batch 7f3a9c: 12 images left, out=./out, jobs=4\n');
    expect(text).toContain('imgtool: finished 40 in 31.4s: completed=40\n');
    const walking = textOf([{ ...STARTED, total: null, resumed: true }]);
    expect(walking).toBe('imgtool: batch 7f3a9c: still looking for images, out=./out, jobs=4\n');
  });

  it('point to resume when jobs are left and to retry when some failed', () => {
    const retry = 'failures: imgtool status 7f3a9c, again: imgtool retry 7f3a9c';
    expect(textOf([finishedOf({ completed: 3 })])).not.toMatch(/resume|retry/);
    const failed = jobOf('a.jpg', { state: 'failed', error: { code: 'io', message: 'EIO' } });
    expect(textOf([failed, finishedOf({ completed: 3, failed: 1 })])).toContain(`imgtool: ${retry}\n`);
    const cut = textOf([finishedOf({ completed: 3, cancelled: 1 }, { state: 'cancelled' })]);
    expect(cut).toContain('imgtool resume 7f3a9c\n');
    expect(cut).not.toContain('retry');
    const dry = textOf([finishedOf({ completed: 3, failed: 1 }, { dryRun: true })]);
    expect(dry).not.toMatch(/resume|retry/);
  });

  it('give the fix of a cause once, and at the end the cause with its number and some names', () => {
    const names = Array.from({ length: 40 }, (_, at) => `${at}.jpg`);
    const many = names.map((name) => failedOf(name, `${name}: its output out/${name} exists`));
    const text = textOf([
      ...many,
      failedOf('one.jpg'),
      failedOf('two.jpg', 'EIO'),
      finishedOf({ failed: 42 }),
    ]);
    expect(text.match(/error: \d+\.jpg: its output out\/\d+\.jpg exists\n/g)).toHaveLength(40);
    expect(text.match(/fix: /g)).toHaveLength(3);
    expect(text).toContain(
      'imgtool: 40 failed: its output ... exists: 0.jpg, 1.jpg, 2.jpg, 3.jpg, ...\nimgtool: 2 others failed\n',
    );
    expect(text).not.toContain('1 failed: ');
  });

  it('say that a retry cannot help when each failure would come again', () => {
    const end = finishedOf({ completed: 3, failed: 2 });
    const lasting = [failedOf('a.jpg'), failedOf('b.jpg')];
    const text = textOf([...lasting, end]);
    expect(text).toContain('imgtool: failures: imgtool status 7f3a9c. A retry alone does not help: ');
    expect(text).not.toContain('imgtool retry');
    const passing = jobOf('c.jpg', { state: 'failed', error: { code: 'io', message: 'EIO' } });
    expect(textOf([lasting[0]!, passing, end])).toContain('again: imgtool retry 7f3a9c\n');
    // Only `status` knows the failures of an earlier run of the batch.
    expect(textOf([lasting[0]!, end])).toContain('imgtool: failures: imgtool status 7f3a9c\n');
  });

  it('never say that a dry run has finished or completed anything', () => {
    const STARTED_DRY: Event = { ...STARTED, total: null, dryRun: true };
    const foreseen = { would: 'render', wouldWrite: ['out/a_a.webp', 'out/a_b.webp'] } as const;
    const jobs = [jobOf('a.jpg', foreseen), failedOf('b.jpg'), failedOf('c.jpg')];
    const end = finishedOf({ completed: 1, failed: 2 }, { dryRun: true, batch: '', passedOver: 0 });
    const text = textOf([STARTED_DRY, ...jobs, end], { verbose: true });
    expect(text).toContain('imgtool: would render a.jpg\n');
    expect(text).toContain(
      'imgtool: dry run of 3 in 31.4s: would write 2 files (2 variants x 1 image) to ./out; 2 would fail\n',
    );
    expect(text).not.toMatch(/finished|completed|retry|resume|status/);
    const cut = textOf([STARTED_DRY, jobs[0]!, { ...end, state: 'cancelled' }]);
    expect(cut).toContain('imgtool: dry run stopped after 3 in 31.4s: would write 2 files');
    expect(cut).not.toMatch(/resume/);
  });

  it('hold no control code, whatever the name of a file', () => {
    expect(textOf(session(), { verbose: true })).not.toMatch(CONTROL);
  });

  it('give a progress line every ten seconds and none after the end', () => {
    const stream = memoryStream();
    const report = createPlainReport({ stream, verbose: false, quiet: false });
    const events = session();
    for (const event of events.slice(0, 11)) report.event(event);
    vi.advanceTimersByTime(20_000);
    expect(stream.text()).toContain('imgtool: 4/12 33% completed=4 0.4/s eta=20s\n');
    expect(stream.text().match(/\/12 /g)).toHaveLength(2);
    for (const event of events.slice(11)) report.event(event);
    const ended = stream.text();
    vi.advanceTimersByTime(60_000);
    expect(stream.text()).toBe(ended);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('are only errors and warnings when quiet', () => {
    const lines = textOf(session(), { quiet: true }).split('\n').slice(0, -1);
    expect(lines.every((line) => /^imgtool: (error|warning|fix): /.test(line))).toBe(true);
    expect(lines).toHaveLength(5);
  });

  it('name each job with verbose', () => {
    const text = textOf([renderedOf('a b.jpg')], { verbose: true });
    expect(text).toBe('imgtool: completed a b.jpg outputs=2 in=3100000 out=402000 ms=171\n');
  });

  it('print a profile before the end, unless quiet', () => {
    const events = [PROFILE, finishedOf({ completed: 60 })];
    const lines = textOf(events).split('\n');
    const rows = profileLines(PROFILE);
    expect(lines.slice(0, rows.length)).toEqual(rows.map((row) => `imgtool: ${row}`));
    expect(lines[rows.length]).toMatch(/^imgtool: finished 60 /);
    expect(textOf(events, { quiet: true })).toBe('');
  });

  it('say that a batch was cancelled and how to continue it', () => {
    const text = textOf([
      { type: 'stopping', batch: '7f3a9c', finishing: 4, dropping: 468 },
      finishedOf({ completed: 812, cancelled: 472 }, { state: 'cancelled' }),
    ]);
    expect(text).toContain('imgtool: stopping: finishing 4, dropping 468\n');
    expect(text).toContain('imgtool: cancelled after 812 of 1284 in 31.4s: completed=812 cancelled=472\n');
    expect(text).toContain('imgtool: run the same command again to go on, or: imgtool resume 7f3a9c\n');
  });

  it('say that no images were found', () => {
    expect(textOf([finishedOf({}, { passedOver: 0 })])).toBe('imgtool: no images found\n');
  });

  it('print a name once when the message begins with it', () => {
    expect(textOf([failedOf('x.jpg', 'x.jpg: is empty')], { quiet: true })).toContain(
      'error: x.jpg: is empty\n',
    );
  });
});

function textOf(events: readonly Event[], given: { verbose?: boolean; quiet?: boolean } = {}): string {
  const stream = memoryStream();
  const report = createPlainReport({ stream, verbose: false, quiet: false, ...given });
  for (const event of events) report.event(event);
  report.close();
  return stream.text();
}
