import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Event } from '../../src/model.ts';
import { profileLines } from '../../src/report/profile.ts';
import { createWatchPlainReport } from '../../src/report/watch-plain.ts';
import {
  CONTROL,
  failedOf,
  finishedOf,
  HOSTILE,
  jobOf,
  memoryStream,
  PROFILE,
  renderedOf,
  watchSession,
} from './samples.ts';

const batch = '7f3a9c';

afterEach(() => {
  vi.useRealTimers();
});

describe('the plain lines of a watch', () => {
  it('print each event in one line: a word, the source, facts', () => {
    const lines = linesOf(watchSession());
    const odd = JSON.stringify(`inbox/${HOSTILE}`).replace('\u009b', '\\u009b').replace('\u202e', '\\u202e');
    expect(lines).toEqual([
      'started batch=7f3a9c out=./out preset=web jobs=4',
      'completed inbox/1.jpg outputs=2 in=3.1MB out=402kB ms=171',
      'completed inbox/2.jpg outputs=2 in=3.1MB out=402kB ms=171',
      'completed inbox/3.jpg outputs=2 in=3.1MB out=402kB ms=171',
      'watching folders=3 by=events',
      'duplicate "inbox/3 (1).jpg" of=inbox/3.jpg',
      'retrying inbox/upload.jpg error=corrupt attempts=1 delay=30s',
      'waiting inbox/big.tif still being written',
      'removed out/a.webp source=inbox/1.jpg',
      'removed out/b.webp source=inbox/1.jpg',
      `skipped ${odd} reason=symlink`,
      'warning message="the folder inbox/x is not watched" fix="sysctl more=1"',
      `failed ${odd} error=not_an_image message="not an image: the content is PDF" ` +
        `fix="leave it out with --exclude 'notes.*'"`,
      'stopping finishing=1 dropping=0',
      'completed inbox/late.jpg outputs=2 in=3.1MB out=402kB ms=171',
      'stopped after=2h14m completed=4 duplicate=1 unchanged=1 failed=1 in=27.9MB out=3.6MB',
    ]);
  });

  it('begin with the time to the second, in UTC, unless a journal adds its own', () => {
    vi.setSystemTime(Date.UTC(2026, 10, 21, 14, 2, 11, 999));
    const timed = linesOf([renderedOf('a.jpg')], { timestamps: true });
    expect(timed).toEqual(['2026-11-21T14:02:11Z completed a.jpg outputs=2 in=3.1MB out=402kB ms=171']);
    expect(linesOf([renderedOf('a.jpg')])[0]).toMatch(/^completed a\.jpg /);
  });

  it('quote everything but plain words, so that programs can read it back', () => {
    for (const name of [
      'a b.jpg',
      'say "a".jpg',
      'a=b.jpg',
      'zero\u200bwidth.jpg',
      '\u0085\u2028.jpg',
      HOSTILE,
    ]) {
      const [text = ''] = linesOf([jobOf(name, { state: 'duplicate', duplicateOf: name })]);
      expect(text).not.toMatch(CONTROL);
      const [, source = '', of = ''] = /^duplicate (".*") of=(".*")$/.exec(text) ?? [];
      expect([JSON.parse(source), JSON.parse(of)]).toEqual([name, name]);
    }
    expect(linesOf([jobOf('é/写真.jpg', { state: 'duplicate', duplicateOf: 'b' })])).toEqual([
      'duplicate é/写真.jpg of=b',
    ]);
  });

  it('are only failures and warnings when quiet', () => {
    const lines = linesOf(watchSession(), { quiet: true, verbose: true });
    expect(lines.map((text) => text.split(' ')[0])).toEqual(['warning', 'failed']);
  });

  it('print each walk and each unchanged or passed over file with verbose', () => {
    const events: Event[] = [...watchSession(), { type: 'withdrawn', batch, source: 'inbox/gone.jpg' }];
    const more = linesOf(events, { verbose: true }).filter((text) => !linesOf(events).includes(text));
    expect(more).toEqual([
      'skipped inbox/old.fifo.jpg reason=not_regular',
      'unchanged inbox/0.jpg',
      'scanned sources=9 changed=5 ms=40',
      'skipped inbox/.hidden.jpg reason=hidden',
      'withdrawn inbox/gone.jpg',
    ]);
  });

  it('begin with the time in each row of a profile too', () => {
    vi.setSystemTime(Date.UTC(2026, 10, 21, 14, 2, 11));
    const rows = linesOf([PROFILE], { timestamps: true });
    expect(rows).toEqual(profileLines(PROFILE).map((row) => `2026-11-21T14:02:11Z ${row}`));
  });

  it('distinguish a watch that finished from one that was stopped or interrupted', () => {
    const end = (given: Parameters<typeof finishedOf>[1], counts = {}) =>
      linesOf([
        finishedOf({ completed: 3, ...counts }, { bytesIn: 0, bytesOut: 0, ms: 12_400, ...given }),
      ])[0];
    expect(end({})).toBe('finished after=12s completed=3 in=0B out=0B');
    expect(end({ state: 'cancelled' }, { cancelled: 2 })).toBe(
      'stopped after=12s completed=3 cancelled=2 in=0B out=0B',
    );
    expect(end({ state: 'interrupted' }, { pending: 2 })).toBe(
      'interrupted after=12s completed=3 pending=2 in=0B out=0B',
    );
  });

  it('mark reused and damaged images, and print a failure without a fix', () => {
    const { error = { code: '', message: '' }, ...failed } = failedOf('x.jpg', 'corrupt');
    const bare = { ...failed, error: { code: error.code, message: error.message } };
    expect(linesOf([{ ...renderedOf('a.jpg'), reused: true, degraded: true }, bare])).toEqual([
      'completed a.jpg outputs=2 in=3.1MB out=402kB ms=171 reused=true degraded=true',
      'failed x.jpg error=not_an_image message="corrupt"',
    ]);
    const delayed = { type: 'job.retrying', batch, source: 'x.jpg', attempts: 2, delay: 90_000 } as const;
    expect(linesOf([{ ...delayed, error }])).toEqual([
      'retrying x.jpg error=not_an_image attempts=2 delay=1m30s',
    ]);
  });
});

function linesOf(
  events: readonly Event[],
  given: Partial<Parameters<typeof createWatchPlainReport>[0]> = {},
): string[] {
  const stream = memoryStream();
  const report = createWatchPlainReport({
    stream,
    quiet: false,
    verbose: false,
    timestamps: false,
    ...given,
  });
  for (const event of events) report.event(event);
  report.close();
  return stream.text().split('\n').slice(0, -1);
}
