import { Writable } from 'node:stream';
import stringWidth from 'string-width';
import type { Batch, Counts, Event, JobEvent, JobRecord, ProfileEvent, Style } from '../../src/model.ts';
import { loadColours } from '../../src/report/layout.ts';
import { measureWith } from '../../src/report/text.ts';
import { batchOptions } from '../records.ts';

/** Events, batches and streams that the tests of the report share. */

// As a command does before it opens a report with colours.
await loadColours();
measureWith(stringWidth);

export const NOTHING: Counts = {
  ...{ pending: 0, processing: 0, retrying: 0, completed: 0 },
  ...{ duplicate: 0, unchanged: 0, failed: 0, cancelled: 0 },
};

/** Every control code but the end of a line; C1 and bidirectional controls too. */
export const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/;
export const CONTROL_BUT_TAB =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

export const HOSTILE = 'evil\u001b[31m\n\t\u009b2J\u202egpj\ud800.jpg';

export function styleOf(given: Partial<Omit<Style, 'columns'>> & { readonly width?: number } = {}): Style {
  const { width = 80, ...rest } = given;
  return { tty: true, color: false, unicode: true, columns: () => width, ...rest };
}

export const PIPE = styleOf({ tty: false, unicode: false });

/** A terminal's stream that keeps what is written. */
export function memoryStream(columns = 80, rows = 24) {
  let written = '';
  const stream = new Writable({
    decodeStrings: false,
    write(chunk: string, _encoding, done) {
      written += chunk;
      done();
    },
  });
  return Object.assign(stream, { isTTY: true, columns, rows, text: () => written });
}

export function jobOf(source: string, given: Partial<JobEvent> = {}): JobEvent {
  return { type: 'job', batch: '7f3a9c', source, state: 'completed', ...given };
}

export function renderedOf(source: string, ms = 171): JobEvent {
  return jobOf(source, {
    digest: '9f'.repeat(32),
    bytes: 3_100_000,
    width: 4032,
    height: 3024,
    dominantColor: '#3a5f8c',
    outputs: ['thumbnail', 'medium'].map((variant) => {
      return {
        variant,
        format: 'webp',
        path: `out/${variant}.webp`,
        width: 150,
        height: 113,
        bytes: 201_000,
      };
    }),
    ms: { digest: 4, decode: 61, encode: 90, commit: 3, total: ms },
    attempts: 1,
  });
}

export function failedOf(source: string, message = 'not an image: the content is PDF'): JobEvent {
  const error = { code: 'not_an_image', message, fix: `leave it out with --exclude 'notes.*'` };
  return jobOf(source, { state: 'failed', error, attempts: 1 });
}

/** A batch from start to end: nine rendered, one duplicate and two failed sources. */
export function session(): Event[] {
  const batch = '7f3a9c';
  const rendered = Array.from({ length: 9 }, (_, at) => renderedOf(`photos/${at}.jpg`, 50 * 2 ** (at % 5)));
  return [
    { type: 'walk', batch: 'b', found: 5, bytes: 15_000_000 },
    { type: 'passed_over', batch: 'b', path: 'photos/.hidden.jpg', reason: 'hidden' },
    { type: 'batch.started', batch, total: 12, bytes: 37_200_000, out: './out', preset: 'web', jobs: 4 },
    ...rendered.flatMap((job): Event[] => [{ type: 'job.started', batch, source: job.source }, job]),
    { type: 'warning', message: `no folder sync on ${HOSTILE}`, fix: 'use a local disk' },
    jobOf('photos/copy.jpg', { state: 'duplicate', duplicateOf: 'photos/0.jpg', outputs: [] }),
    {
      type: 'job.retrying',
      batch,
      source: 'photos/x.jpg',
      attempts: 1,
      delay: 500,
      error: { code: 'io', message: 'EIO' },
    },
    failedOf(HOSTILE),
    failedOf('photos/notes.jpg', 'photos/notes.jpg: not an image: the content is PDF'),
    finishedOf({ completed: 9, duplicate: 1, failed: 2 }),
  ];
}

/** A watch from start to end: three sources are rendered before it waits; then come the less usual events. */
export function watchSession(): Event[] {
  const batch = '7f3a9c';
  const rendered = ['inbox/1.jpg', 'inbox/2.jpg', 'inbox/3.jpg'].map((source) => renderedOf(source));
  return [
    { type: 'batch.started', batch, total: null, bytes: 0, out: './out', preset: 'web', jobs: 4 },
    { type: 'walk', batch: 'b', found: 3, bytes: 9_300_000 },
    { type: 'passed_over', batch: 'b', path: 'inbox/old.fifo.jpg', reason: 'not_regular' },
    jobOf('inbox/0.jpg', { state: 'unchanged' }),
    ...rendered.flatMap((job): Event[] => [{ type: 'job.started', batch, source: job.source }, job]),
    { type: 'watching', batch, folders: 3, by: 'events' },
    { type: 'walk', batch: 'b', found: 9, bytes: 20_000_000 },
    { type: 'scanned', batch, sources: 9, changed: 5, ms: 40.4 },
    { type: 'job.started', batch, source: 'inbox/late.jpg' },
    jobOf('inbox/3 (1).jpg', { state: 'duplicate', duplicateOf: 'inbox/3.jpg', outputs: [] }),
    {
      ...{ type: 'job.retrying', batch, source: 'inbox/upload.jpg', attempts: 1, delay: 30_000 },
      error: { code: 'corrupt', message: 'inbox/upload.jpg: cut short: 12 kB of 340 kB' },
    },
    { type: 'still_written', batch, source: 'inbox/big.tif' },
    { type: 'removed', batch, source: 'inbox/1.jpg', paths: ['out/a.webp', 'out/b.webp'] },
    { type: 'passed_over', batch: 'b', path: 'inbox/.hidden.jpg', reason: 'hidden' },
    { type: 'passed_over', batch: 'b', path: `inbox/${HOSTILE}`, reason: 'symlink' },
    { type: 'warning', message: 'the folder inbox/x is not watched', fix: 'sysctl more=1' },
    failedOf(`inbox/${HOSTILE}`, `inbox/${HOSTILE}: not an image: the content is PDF`),
    { type: 'stopping', batch, finishing: 1, dropping: 0 },
    renderedOf('inbox/late.jpg'),
    finishedOf({ completed: 4, duplicate: 1, unchanged: 1, failed: 1 }, { ms: 8_046_000 }),
  ];
}

export function finishedOf(
  counts: Partial<Counts>,
  given: Partial<Extract<Event, { type: 'batch.finished' }>> = {},
): Extract<Event, { type: 'batch.finished' }> {
  return {
    ...{ type: 'batch.finished', batch: '7f3a9c', state: 'finished', counts: { ...NOTHING, ...counts } },
    ...{ passedOver: 1, degraded: 0, bytesIn: 27_900_000, bytesOut: 3_618_000, ms: 31_400 },
    ...given,
  };
}

/** The profile of 60 images, two at a time, in 7.5 s. For 200 ms of these 15 s there was no child. */
export const PROFILE: ProfileEvent = {
  ...{ type: 'profile', batch: '7f3a9c', jobs: 2, ms: 7_500 },
  parent: {
    ...{ start: 250.04, cpu: 540, busy: 360 },
    index: { calls: 183, ms: 60.3, of: { settle: { calls: 60, ms: 40 }, take: { calls: 123, ms: 20.3 } } },
    storage: { calls: 60, ms: 375, of: { commit: { calls: 60, ms: 375 } } },
    sources: { calls: 1, ms: 0.4, of: { walk: { calls: 1, ms: 0.4 } } },
    report: { calls: 122, ms: 12, of: { job: { calls: 60, ms: 11 }, walk: { calls: 62, ms: 1 } } },
  },
  children: {
    ...{ started: 2, cpu: 13_402, starting: 500, travel: 100 },
    asked: {
      open: { calls: 60, ms: 300 },
      render: { calls: 60, ms: 13_210 },
      release: { calls: 60, ms: 6 },
    },
    held: { before: 160, after: 400 },
    idle: { first: 0, between: 90, last: 40 },
  },
  pictures: {
    ...{ digest: { calls: 60, ms: 170 }, decode: { calls: 60, ms: 4_800 } },
    ...{ encode: { calls: 180, ms: 8_400 }, resize: { calls: 180, ms: 750 } },
    ...{ write: { calls: 180, ms: 30 }, color: { calls: 60, ms: 60 } },
  },
};

export function batchOf(given: Partial<Batch> = {}): Batch {
  return {
    ...{ id: '7f3a9c', command: 'process', state: 'finished', inputs: ['./photos'], out: '/home/ann/out' },
    ...{
      cwd: '/home/ann',
      preset: 'web',
      jobs: 4,
      options: batchOptions(),
      walkEnded: true,
      passedOver: 0,
      aside: null,
    },
    ...{ startedAt: Date.UTC(2026, 10, 21, 14, 2), finishedAt: Date.UTC(2026, 10, 21, 14, 2, 31) },
    counts: { ...NOTHING, completed: 1240, duplicate: 41, failed: 3 },
    ...{ degraded: 0, bytesIn: 3_900_000_000, bytesOut: 982_000_000 },
    ...given,
  };
}

export function recordOf(source: string, given: Partial<JobRecord> = {}): JobRecord {
  return {
    ...{ source, state: 'failed', attempts: 1, bytes: 348_160, digest: null, width: null, height: null },
    ...{
      id: 1,
      part: null,
      format: null,
      pages: null,
      dominantColor: null,
      duplicateOf: null,
      reused: false,
      degraded: false,
      outputs: [],
      ms: null,
      finishedAt: 1_795_269_731_000,
    },
    error: { code: 'corrupt', message: 'cut short: 12 kB of 340 kB', fix: 'copy the file again' },
    ...given,
  };
}
