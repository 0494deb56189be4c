import { describe, expect, it } from 'vitest';
import type { Event } from '../../src/model.ts';
import { createProgress } from '../../src/report/progress.ts';
import { width } from '../../src/report/text.ts';
import { liveLines } from '../../src/report/view.ts';
import { CONTROL, HOSTILE, jobOf, renderedOf, session, styleOf } from './samples.ts';

const batch = '7f3a9c';
const STARTED = {
  type: 'batch.started',
  batch,
  total: 1284,
  bytes: 3.9e9,
  out: './out',
  preset: 'web',
  jobs: 4,
} as const;

describe('the live part', () => {
  it('shows bar, rate, time left, counts, bytes and what is in work', () => {
    const lines = linesOf(half());
    expect(lines[0]).toBe(
      'imgtool process  batch 7f3a9c  1,284 images  3.9 GB  ->  ./out  (4 at a time)'.slice(0, 79),
    );
    expect(lines[2]).toBe(` ${'━'.repeat(20)}╸${'─'.repeat(19)}   50%   642/1,284   64.2/s   ETA 0:09`);
    expect(lines[3]).toMatch(/^ completed 640 {2}duplicate 2 +2\.0 GB -> 257 MB {2}\(-87%\)$/);
    expect(lines[5]).toMatch(/^ {3}IMG_2041\.jpg +1\.0s$/);
  });

  it('shows how many variants of an image in work are finished, where there is space', () => {
    const made = { batch, source: 'IMG_2041.jpg', done: 2, total: 3, share: 0.5, bytes: 9_000_000 };
    const events: Event[] = [...half(), { type: 'job.progress', ...made }];
    expect(linesOf(events)[5]).toMatch(/^ {3}IMG_2041\.jpg +2 of 3 {3}1\.0s$/);
    expect(linesOf(events, { width: 39 }).join('\n')).not.toContain('2 of 3');
  });

  it('counts the images that a resumed batch has left, without their bytes', () => {
    const resumed: Event[] = [{ ...STARTED, total: 3, bytes: 0, resumed: true }, renderedOf('a.jpg')];
    const lines = linesOf(resumed);
    expect(lines[0]).toBe('imgtool process  batch 7f3a9c  3 images left  ->  ./out  (4 at a time)');
    expect(lines[2]).toContain('33%   1/3');
    const walking = linesOf([{ ...STARTED, total: null, bytes: 0, resumed: true }]);
    expect(walking[0]).toBe('imgtool process  batch 7f3a9c  ->  ./out  (4 at a time)');
    const [header] = linesOf([{ ...STARTED, total: 1, bytes: 0, resumed: true }]);
    expect(header).toContain('  1 image left  ');
  });

  it('is never wider than the screen less one column, nor higher, from 20 columns to 120', () => {
    for (const events of [half(), session().slice(0, -1), [STARTED], unknown()]) {
      for (let columns = 20; columns <= 120; columns++) {
        for (const unicode of [true, false]) {
          const lines = linesOf(events, { width: columns, unicode });
          expect(Math.max(...lines.map(width))).toBeLessThan(columns);
          expect(lines.join('')).not.toMatch(CONTROL);
        }
      }
    }
  });

  it('leaves one row of a low terminal free', () => {
    for (let rows = 3; rows < 24; rows++) {
      expect(linesOf(half(), { rows }).length).toBeLessThan(Math.max(rows, 4));
    }
  });

  it('counts without a percentage while the walk goes on', () => {
    const text = linesOf(unknown()).join('\n');
    expect(text).toContain(' 1 done, 1,900 found so far');
    expect(text).not.toMatch(/%\s+\d+\//);
    expect(text).not.toContain('ETA');
  });

  it('uses ASCII alone without Unicode', () => {
    const text = linesOf(half().slice(0, -2), { unicode: false }).join('\n');
    expect(text).toMatch(/^[\n -~]*$/);
    expect(text).toContain(`${'#'.repeat(20)}`);
  });

  it('shows the same text with and without colours', () => {
    const plain = linesOf(half());
    const coloured = linesOf(half(), { color: true });
    expect(coloured.join('')).toContain('\u001b[');
    expect(coloured.map((text) => text.replace(/\u001b\[\d+m/g, ''))).toEqual(plain);
  });
});

function half(): Event[] {
  return [
    STARTED,
    ...Array.from({ length: 640 }, (_, at) => renderedOf(`photos/${at}.jpg`)),
    jobOf('c1.jpg', { state: 'duplicate', duplicateOf: 'a.jpg' }),
    jobOf('c2.jpg', { state: 'duplicate', duplicateOf: 'a.jpg' }),
    { type: 'job.started', batch, source: 'IMG_2041.jpg' },
    { type: 'job.started', batch, source: HOSTILE },
    { type: 'job.started', batch, source: `photos/${'とても長い名前の写真'.repeat(9)}.jpg` },
  ];
}

function unknown(): Event[] {
  return [
    { ...STARTED, total: null },
    { type: 'walk', batch: 'b', found: 1900, bytes: 5e9 },
    renderedOf('a.jpg'),
  ];
}

function linesOf(
  events: readonly Event[],
  given: { width?: number; rows?: number; unicode?: boolean; color?: boolean } = {},
): string[] {
  const { rows = 24, ...style } = given;
  const progress = createProgress();
  events.forEach((event, at) => {
    progress.event(event, at === 0 ? 0 : 9000);
  });
  return liveLines(progress, { command: 'process', style: styleOf(style), now: 10_000, rows });
}
