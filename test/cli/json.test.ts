import { beforeAll, describe, expect, it } from 'vitest';
import {
  countsOf,
  eventsOf,
  finishedOf,
  jobOf,
  jobsOf,
  type Outcome,
  openPlace,
  type Place,
} from './imgtool.ts';
import { picture, putOld } from './pictures.ts';

const WHOLE = expect.toSatisfy(
  (value: unknown) => Number.isInteger(value) && Number(value) >= 0,
  'a whole number',
);
const ID = expect.stringMatching(/^[0-9a-f]{8,}$/);
const MS = { digest: WHOLE, decode: WHOLE, encode: WHOLE, commit: WHOLE, total: WHOLE };
const COUNTS = {
  ...{ pending: WHOLE, processing: WHOLE, retrying: WHOLE, completed: WHOLE },
  ...{ duplicate: WHOLE, unchanged: WHOLE, failed: WHOLE, cancelled: WHOLE },
};
const output = (action: string, variant: string, path: string, width: number, height: number) => {
  return { variant, format: 'webp', path, width, height, bytes: WHOLE, action };
};

describe('the JSON lines of `process --json`', () => {
  let place: Place;
  let outcome: Outcome;
  /** The folder is gone when a test ends, so tests that read it run the batch again. */
  async function begin(): Promise<void> {
    place = openPlace();
    putOld(place.at('photos/a.jpg'), await picture({ seed: 1 }));
    putOld(place.at('photos/b.jpg'), await picture({ seed: 1 }));
    place.put('photos/c.jpg', 'no picture');
    place.put('photos/.hidden.jpg', 'hidden');
    outcome = await place.process();
  }
  beforeAll(begin);

  it('contain one object per line, and stdout contains nothing else', () => {
    const lines = outcome.stdout.split('\n');
    expect(lines.pop()).toBe('');
    for (const line of lines) {
      expect(JSON.parse(line)).toMatchObject({ v: 1, type: expect.stringMatching(/^[a-z_.]+$/) });
      expect(line).toMatch(/^\{"v":1,"type":"/);
    }
    expect(eventsOf(outcome).map(({ type }) => type)).toEqual([
      'batch.started',
      'job',
      'job',
      'job',
      'batch.finished',
    ]);
  });

  it('start with the batch', () => {
    expect(eventsOf(outcome)[0]).toMatchObject({
      batch: ID,
      total: 3,
      bytes: expect.any(Number),
      out: 'out',
      preset: expect.any(String),
    });
  });

  it('describe a completed picture completely', () => {
    expect(jobOf(outcome, 'photos/a.jpg')).toEqual({
      v: 1,
      type: 'job',
      batch: ID,
      job: expect.any(Number),
      source: 'photos/a.jpg',
      state: 'completed',
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      bytes: WHOLE,
      width: 80,
      height: 60,
      format: 'jpeg',
      dominantColor: expect.stringMatching(/^#[0-9a-f]{6}$/),
      outputs: [
        output('rendered', 'a', 'out/a_a.webp', 40, 30),
        output('rendered', 'b', 'out/a_b.webp', 20, 15),
      ],
      ms: MS,
      attempts: 1,
    });
  });

  it('name their batch, and those of one job the number of that job', async () => {
    await begin();
    const verbose = await place.process('--verbose', '--force');
    const { batch } = finishedOf(verbose);
    for (const event of eventsOf(verbose)) {
      expect(event, event.type).toMatchObject({ batch });
      if (event.type === 'job') expect(event.job, event.source).toBeGreaterThan(0);
    }
    const numbers = jobsOf(verbose).map(({ job }) => job);
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  it('name the original of a duplicate, and the duplicate’s own outputs', () => {
    expect(jobOf(outcome, 'photos/b.jpg')).toMatchObject({
      state: 'duplicate',
      duplicateOf: 'photos/a.jpg',
      digest: jobOf(outcome, 'photos/a.jpg').digest,
      outputs: [output('linked', 'a', 'out/b_a.webp', 40, 30), output('linked', 'b', 'out/b_b.webp', 20, 15)],
    });
  });

  it('describe a failure with its code, message and fix, and the size of its source', () => {
    expect(jobOf(outcome, 'photos/c.jpg')).toEqual({
      v: 1,
      type: 'job',
      batch: ID,
      job: expect.any(Number),
      source: 'photos/c.jpg',
      state: 'failed',
      error: { code: 'not_an_image', message: expect.any(String), fix: expect.any(String) },
      bytes: 'no picture'.length,
      ms: { digest: 0, decode: 0, encode: 0, commit: 0, total: WHOLE },
      attempts: 1,
    });
  });

  it('end with counts that agree with `status --json` and the exit code', async () => {
    await begin();
    const finished = finishedOf(outcome);
    expect(finished).toEqual({
      v: 1,
      type: 'batch.finished',
      batch: ID,
      state: 'finished',
      counts: COUNTS,
      passedOver: 1,
      passedOverBy: { hidden: 1 },
      passedOverKinds: {},
      bytesIn: WHOLE,
      bytesOut: WHOLE,
      ms: WHOLE,
      exit: 1,
    });
    expect([outcome.code, countsOf(outcome)]).toEqual([1, { completed: 1, duplicate: 1, failed: 1 }]);
    const { batch, jobs, v } = await place.status(finished.batch);
    const { counts, state, passedOver, bytesIn, bytesOut } = finished;
    expect([v, batch]).toMatchObject([
      1,
      { id: finished.batch, state, counts, total: 3, passedOver, bytesIn, bytesOut },
    ]);
    expect(jobs.map(({ source }) => source)).toEqual([place.at('photos/c.jpg')]);
    const all = await place.status(finished.batch, '--all');
    expect(all.jobs).toHaveLength(3);
    const [completed] = all.jobs.filter((job) => job.state === 'completed');
    const { digest, outputs } = jobOf(outcome, 'photos/a.jpg');
    const absolute = outputs?.map(({ action: _, ...one }) => ({ ...one, path: place.at(one.path) }));
    expect(completed).toMatchObject({ source: place.at('photos/a.jpg'), digest, outputs: absolute });
  });

  it('describe an unchanged picture from the index', async () => {
    await begin();
    const second = await place.process();
    const { digest, width, height, dominantColor, bytes, ...first } = jobOf(outcome, 'photos/a.jpg');
    const outputs = first.outputs?.map((one) => ({ ...one, action: 'kept' }));
    expect(jobOf(second, 'photos/a.jpg')).toMatchObject({
      ...{ state: 'unchanged', digest, width, height, dominantColor, outputs, bytes },
      ms: { digest: 0, decode: 0, encode: 0, commit: 0 },
    });
    const { counts, batch } = finishedOf(second);
    expect((await place.status(batch)).batch.counts).toEqual(counts);
  });

  it('mark a reused picture', async () => {
    await begin();
    const second = await place.process('--out', 'elsewhere');
    expect(jobOf(second, 'photos/a.jpg')).toMatchObject({ state: 'completed', reused: true });
  });
});

describe('the size of a batch', () => {
  it('is unknown at first if the walk takes long, and is reported by a `total` event', async () => {
    const place = openPlace();
    for (let i = 0; i < 600; i++) place.put(`photos/${i}.jpg`, '');
    putOld(place.at('photos/z.jpg'), await picture());
    const events = eventsOf(await place.process());
    expect(events[0]).toMatchObject({ type: 'batch.started', total: null });
    expect(events.find(({ type }) => type === 'total')).toEqual({
      v: 1,
      type: 'total',
      batch: ID,
      total: 601,
      bytes: expect.any(Number),
    });
    expect(events.filter(({ type }) => type === 'job')).toHaveLength(601);
  });

  it('is 0 for a folder without pictures', async () => {
    const place = openPlace();
    place.put('photos/notes.txt', '');
    const outcome = await place.process();
    expect(eventsOf(outcome)).toMatchObject([
      { type: 'batch.started', total: 0 },
      { type: 'batch.finished', exit: 0 },
    ]);
  });
});
