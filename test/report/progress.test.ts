import { describe, expect, it } from 'vitest';
import type { Event, JobEvent } from '../../src/model.ts';
import { createProgress, type Progress } from '../../src/report/progress.ts';
import { jobOf } from './samples.ts';

const batch = '7f3a9c';
const KB = 1_000;
const NO_SPACE = { code: 'no_space', message: 'the disk is full' };
/** Bytes of what a folder of photographs, one of icons, and one of both hold. */
const FOLDERS = {
  'photographs alike in size': Array.from({ length: 200 }, (_, at) => 900 * KB + at * KB),
  'photographs of all sizes': Array.from({ length: 200 }, (_, at) => 200 * KB + at ** 2 * 0.2 * KB),
  'a few photographs and many icons': [
    ...Array.from({ length: 40 }, (_, at) => 1_500 * KB + at * 30 * KB),
    ...Array.from({ length: 400 }, (_, at) => 3 * KB + at * 50),
  ],
};

describe('the time left', () => {
  for (const [folder, sizes] of Object.entries(FOLDERS)) {
    for (const jobs of [1, 2, 8]) {
      it(`is within a quarter of the truth from a tenth on: ${folder}, ${jobs} at a time`, () => {
        const seen = simulate({ sizes, jobs });
        expect(seen.length).toBeGreaterThan(sizes.length / 3);
        expect(seen.filter(({ wrong }) => wrong > 0.25)).toEqual([]);
      });
    }
    it(`is as good where half was done before: ${folder}`, () => {
      const isDone = (at: number) => at % 2 === 0;
      const again = simulate({ sizes, jobs: 2, isDone });
      expect(again.length).toBeGreaterThan(sizes.length / 6);
      expect(again.filter(({ wrong }) => wrong > 0.25)).toEqual([]);
    });
  }

  const SPREADS = {
    'every second is a copy of the one before': (at: number) => at % 2 === 0 && 'of the one before',
    'two of three are copies of the one before': (at: number) => at % 3 !== 0 && 'of the one before',
    'every second is a copy of a former one': (at: number) => at % 2 === 0 && 'of a former one',
    'every eighth is a copy of a former one': (at: number) => at % 8 === 0 && 'of a former one',
    'ten are copies of the largest': (at: number) => at > 188 && at < 199 && 'of the one before',
  } as const;
  for (const [spread, isCopy] of Object.entries(SPREADS)) {
    for (const [folder, sizes] of Object.entries(FOLDERS)) {
      for (const jobs of [1, 2]) {
        it(`soon comes near the truth where ${spread}: ${folder}, ${jobs} at a time`, () => {
          const told = simulate({ sizes, jobs, isCopy });
          const later = told.slice(told.length / 8);
          expect(later.length).toBeGreaterThan(sizes.length / 4);
          expect(later.filter(({ wrong }) => wrong > 0.4)).toEqual([]);
        });
      }
    }
  }

  it('is unknown before enough work is done', () => {
    const progress = begin(400, 400_000 * KB, 2);
    work(progress, 'a', 0, 100, 1_000 * KB);
    expect(progress.left(1_900)).toBeNull();
    work(progress, 'b', 100, 300, 1_000 * KB);
    expect(progress.left(1_900)).toBeNull();
    expect(progress.left(2_100)).not.toBeNull();
  });

  it('is known at once when a good part is done', () => {
    const progress = begin(10, 10_000 * KB, 2);
    work(progress, 'a', 0, 400, 1_000 * KB);
    work(progress, 'b', 400, 800, 1_000 * KB);
    expect(progress.left(800)).toBe(3_200);
    expect(progress.left(1_200)).toBeLessThan(5_000);
  });

  it('counts images when their bytes are unknown', () => {
    const progress = begin(10, 0, 1, true);
    work(progress, 'a', 0, 1_000, 9_000 * KB);
    work(progress, 'b', 1_000, 2_000, KB);
    expect(progress.share()).toBeCloseTo(0.2);
    expect(progress.left(2_000)).toBeCloseTo(8_000);
  });

  it('is nothing in a batch of unchanged sources, also while it removes outputs', () => {
    const progress = begin(2, 2_000 * KB, 2);
    expect(progress.isRemoving()).toBe(false);
    for (const name of ['a', 'b']) {
      progress.event(jobOf(name, { bytes: 1_000 * KB, state: 'unchanged' }), 0);
    }
    progress.event({ type: 'removed', batch, source: 'gone.jpg', paths: ['out/gone.webp'] }, 5_000);
    expect([progress.left(10_000), progress.isRemoving()]).toEqual([0, true]);
  });

  it('leaves out sources that the walk found unchanged', () => {
    const progress = begin(4, 4_000 * KB, 1);
    progress.event(jobOf('old', { bytes: 1_000 * KB, state: 'unchanged' }), 0);
    expect(progress.share()).toBe(0);
    work(progress, 'a', 0, 500, 1_000 * KB);
    expect(progress.share()).toBeCloseTo(1 / 3);
    expect(progress.left(500)).toBe(1_000);
  });

  it('is known when nothing has to be rendered', () => {
    const progress = begin(10, 10_000 * KB, 1);
    work(progress, 'a', 0, 500, 1_000 * KB, { reused: true });
    work(progress, 'b', 500, 1_000, 1_000 * KB, { state: 'unchanged' });
    expect(progress.left(1_000)).toBeCloseTo(4_000);
  });
});

describe('a finished variant of an image in work', () => {
  const started = (source: string) => ({ type: 'job.started', batch, source }) as const;
  const made = (source: string, done: number, share: number) =>
    ({ type: 'job.progress', batch, source, done, total: 3, share, bytes: 10_000 * KB }) as const;

  it('moves the bar and gives the time left before the first image has ended', () => {
    const progress = begin(3, 30_000 * KB, 2);
    for (const source of ['a', 'b']) progress.event(started(source), 0);
    progress.event(made('a', 1, 0.25), 4_000);
    expect([progress.share(), progress.left(4_000)]).toEqual([expect.closeTo(0.25 / 3), null]);
    progress.event(made('b', 1, 0.25), 4_000);
    expect(progress.share()).toBeCloseTo(0.5 / 3);
    expect(progress.left(4_000)).toBeCloseTo(20_000);
    expect(progress.left(6_000)).toBeCloseTo(18_000);
    expect(progress.parts.get('a')).toMatchObject({ done: 1, total: 3 });
  });

  it('gives the time left of fewer images than there are places', () => {
    const progress = begin(1, 10_000 * KB, 8);
    progress.event(started('a'), 0);
    progress.event(made('a', 2, 0.5), 3_000);
    expect(progress.left(3_000)).toBeCloseTo(3_000);
  });

  it('counts no more once the image has ended, failed, waits for another or begins again', () => {
    const ends = {
      ended: jobOf('a', { bytes: 10_000 * KB }),
      failed: jobOf('a', { state: 'failed', bytes: 10_000 * KB }),
      waiting: { type: 'job.waiting', batch, source: 'a', bytes: 10_000 * KB },
      retrying: { ...{ type: 'job.retrying', batch, source: 'a' }, attempts: 1, delay: 5, error: NO_SPACE },
      withdrawn: { type: 'withdrawn', batch, source: 'a' },
    } satisfies Record<string, Event>;
    const shares = Object.values(ends).map((event) => {
      const progress = begin(2, 20_000 * KB, 2);
      progress.event(started('a'), 0);
      progress.event(made('a', 2, 0.5), 3_000);
      progress.event(event, 4_000);
      expect(progress.parts.size).toBe(0);
      return progress.share();
    });
    expect(shares).toEqual([0.5, 0.5, 0, 0, 0]);
  });
});

describe('a copy that waits for its original', () => {
  it('is neither in work nor part of the rest until it is rendered itself', () => {
    const progress = begin(3, 3_000 * KB, 2);
    progress.event({ type: 'job.started', batch, source: 'a' }, 0);
    progress.event({ type: 'job.started', batch, source: 'copy' }, 0);
    progress.event({ type: 'job.waiting', batch, source: 'copy', bytes: 1_000 * KB }, 10);
    expect([...progress.totals.inWork.keys()]).toEqual(['a']);
    progress.event(jobOf('a', { bytes: 1_000 * KB }), 500);
    expect(progress.share()).toBe(0.5);
    progress.event({ type: 'job.started', batch, source: 'copy' }, 500);
    expect([...progress.totals.inWork]).toEqual([['copy', 500]]);
    expect(progress.share()).toBeCloseTo(1 / 3);
  });
});

function begin(total: number, bytes: number, jobs: number, resumed = false): Progress {
  const progress = createProgress();
  const told = { batch, total, bytes, out: 'out', preset: 'web', jobs };
  progress.event({ type: 'batch.started', ...told, ...(resumed ? { resumed } : {}) }, 0);
  return progress;
}

function work(
  progress: Progress,
  source: string,
  from: number,
  to: number,
  bytes: number,
  given: Partial<JobEvent> = {},
): void {
  progress.event({ type: 'job.started', batch, source }, from);
  progress.event(jobOf(source, { bytes, ...given }), to);
}

interface Simulated {
  readonly sizes: readonly number[];
  readonly jobs: number;
  /** Whether the walk finds the source unchanged. */
  readonly isDone?: (at: number) => boolean;
  /** Whether the source has the bytes of the one before it, or of one rendered before this batch. */
  readonly isCopy?: (at: number) => 'of the one before' | 'of a former one' | false;
}

/**
 * A batch, the largest first, whose images take 20 ms of a place and 0.19 ms for each kB, give or take a third; copies
 * take 5 ms, and wait for those that are in work. What was told between a tenth and nine tenths of its time, once as many
 * have ended as are done at a time, and how wrong.
 */
function simulate({ sizes, jobs, isDone = () => false, isCopy = () => false }: Simulated) {
  const sources = sizes.map((bytes, at) => ({ bytes, source: `${at}.jpg`, at }));
  const todo = sources.filter(({ at }) => !isDone(at)).sort((a, b) => b.bytes - a.bytes);
  const events: { at: number; event: Event }[] = [];
  const free = new Array<number>(jobs).fill(0);
  let original = 0;
  for (const [nth, { bytes, source, at }] of todo.entries()) {
    const from = Math.min(...free);
    const tell = (at: number, event: Event) => events.push({ at, event });
    tell(from, { type: 'job.started', batch, source });
    const copy = isCopy(at);
    let to = from + 5;
    if (copy === 'of the one before' && original > to) {
      tell(to, { type: 'job.waiting', batch, source, bytes });
      tell(original + 5, jobOf(source, { bytes, state: 'duplicate' }));
    } else if (copy) {
      tell(to, jobOf(source, { bytes, state: 'duplicate' }));
    } else {
      const jitter = 1 + Math.sin(nth * 12.9898) / 3;
      to = from + (20 + 0.19 * (bytes / KB)) * jitter;
      original = to;
      tell(to, jobOf(source, { bytes }));
    }
    free[free.indexOf(from)] = to;
  }
  const all = sizes.reduce((sum, bytes) => sum + bytes, 0);
  const progress = begin(sizes.length, all, jobs);
  for (const { bytes, source, at } of sources) {
    if (isDone(at)) progress.event(jobOf(source, { bytes, state: 'unchanged' }), 0);
  }
  const end = Math.max(...free);
  const seen: { at: number; left: number | null; truth: number; wrong: number }[] = [];
  for (const { at, event } of events.sort((a, b) => a.at - b.at)) {
    progress.event(event, at);
    const isEarly = at < end / 10 || progress.totals.done - (sizes.length - todo.length) < jobs;
    if (event.type !== 'job' || isEarly || at > end * 0.9) continue;
    const [left, truth] = [progress.left(at), end - at];
    seen.push({ at, left, truth, wrong: Math.abs((left ?? Number.POSITIVE_INFINITY) - truth) / truth });
  }
  return seen;
}
