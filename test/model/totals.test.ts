import { describe, expect, it } from 'vitest';
import { BatchTotals, doneOf, leftOf, totalOf } from '../../src/model/totals.ts';
import type { Event } from '../../src/model.ts';
import { failedOf, jobOf, renderedOf, session, watchSession } from '../report/samples.ts';

const batch = '7f3a9c';
const STARTED: Event = {
  ...{ type: 'batch.started', batch, total: null, bytes: 0 },
  ...{ out: './out', preset: 'web', jobs: 2 },
};

function totalsOf(events: readonly Event[]): BatchTotals {
  const totals = new BatchTotals();
  events.forEach((event, at) => {
    totals.add(event, at);
  });
  return totals;
}

describe('the totals of a batch', () => {
  it.each([
    ['a batch', session()],
    ['a watch', watchSession()],
  ])('count each source of %s in exactly one state, after every event', (_, events) => {
    const totals = new BatchTotals();
    for (const event of events) {
      totals.add(event, 0);
      const { counts, found, done } = totals;
      expect(totalOf(counts)).toBe(Math.max(found, done + totals.inWork.size + totals.retrying.size));
      expect(doneOf(counts) + counts.cancelled + leftOf(counts)).toBe(totalOf(counts));
    }
  });

  it('end with the counts of the batch', () => {
    const events = session();
    const totals = totalsOf(events);
    expect(totals.ended).toEqual({ completed: 9, duplicate: 1, unchanged: 0, failed: 2, cancelled: 0 });
    expect(totals.finished).toBe(events.at(-1));
    expect([totals.passedOver, [...totals.passedOverBy]]).toEqual([1, [['hidden', 1]]]);
    expect([totals.bytesIn, totals.bytesOut]).toEqual([27_900_000, 3_618_000]);
    expect(totals.outputs).toEqual({ rendered: 18, linked: 0, copied: 0, kept: 0 });
  });

  it('count passed over files by reason, and pictures of unsupported formats by kind', () => {
    const passedOver = { type: 'passed_over', batch: 'b', path: 'a' } as const;
    const raw = { ...passedOver, reason: 'unsupported_format', kind: 'camera raw' } as const;
    const totals = totalsOf([raw, raw, { ...passedOver, reason: 'hidden' }]);
    expect(totals.aside).toEqual({
      passedOverBy: { unsupported_format: 2, hidden: 1 },
      passedOverKinds: { 'camera raw': 2 },
    });
  });

  it('follow a source from pending to processing, retrying and withdrawn', () => {
    const source = 'a.jpg';
    const error = { code: 'corrupt', message: 'cut short' };
    const steps: [Event, object][] = [
      [{ type: 'walk', batch: 'b', found: 2, bytes: 10 }, { pending: 2 }],
      [
        { type: 'job.started', batch, source },
        { pending: 1, processing: 1 },
      ],
      [{ type: 'job.waiting', batch, source, bytes: 5 }, { pending: 2 }],
      [
        { type: 'job.started', batch, source },
        { pending: 1, processing: 1 },
      ],
      [
        { type: 'job.retrying', batch, source, attempts: 1, delay: 9, error },
        { pending: 1, retrying: 1 },
      ],
      [
        { type: 'job.started', batch, source },
        { pending: 1, processing: 1 },
      ],
      [{ type: 'withdrawn', batch, source }, { pending: 1 }],
      [jobOf('b.jpg'), { completed: 1 }],
    ];
    const totals = totalsOf([STARTED]);
    for (const [event, expected] of steps) {
      totals.add(event, 0);
      const counts = Object.entries(totals.counts).filter(([, n]) => n > 0);
      expect(Object.fromEntries(counts)).toEqual(expected);
    }
  });

  it('keep the time at which each source was started', () => {
    const totals = totalsOf([STARTED]);
    totals.add({ type: 'job.started', batch, source: 'a.jpg' }, 10);
    totals.add({ type: 'job.started', batch, source: 'a.jpg' }, 20);
    expect([...totals.inWork]).toEqual([['a.jpg', 10]]);
  });

  it('count the bytes of an output once when a duplicate borrows it', () => {
    const original = renderedOf('a.jpg');
    const copy = { ...original, source: 'b.jpg', state: 'duplicate', duplicateOf: 'a.jpg' } as const;
    const linked = totalsOf([original, copy]);
    expect([linked.bytesIn, linked.bytesOut, linked.files]).toEqual([6_200_000, 804_000, 4]);
    const skipped = totalsOf([original, { ...copy, borrowed: true }]);
    expect([skipped.bytesIn, skipped.bytesOut, skipped.files]).toEqual([6_200_000, 402_000, 2]);
  });

  it('leave out the bytes of failed and cancelled sources', () => {
    const { bytesIn, bytesOut } = totalsOf([
      { ...failedOf('a.jpg'), bytes: 100, outputs: [] },
      jobOf('b.jpg', { state: 'cancelled', bytes: 100, outputs: [] }),
    ]);
    expect([bytesIn, bytesOut]).toEqual([0, 0]);
  });

  it('count failed jobs, and those that a retry alone cannot help', () => {
    const passing = jobOf('io.jpg', { state: 'failed', error: { code: 'io', message: 'EIO' } });
    const totals = totalsOf([...Array.from({ length: 1_000 }, (_, at) => failedOf(`${at}.jpg`)), passing]);
    expect([totals.ended.failed, totals.lasting]).toEqual([1_001, 1_000]);
    expect(totals.failures.all.map(({ count }) => count)).toEqual([1_000, 1]);
  });
});
