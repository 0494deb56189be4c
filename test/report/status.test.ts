import { describe, expect, it } from 'vitest';
import { JOB_STATES } from '../../src/model.ts';
import { listJson, statusJson } from '../../src/report/json.ts';
import { statusText } from '../../src/report/status.ts';
import { listText } from '../../src/report/tables.ts';
import { width } from '../../src/report/text.ts';
import {
  batchOf,
  CONTROL,
  CONTROL_BUT_TAB,
  HOSTILE,
  NOTHING,
  PIPE,
  recordOf,
  renderedOf,
  styleOf,
} from './samples.ts';

const NOW = batchOf().startedAt + 120_000;
const FAILED = [recordOf('/home/ann/photos/broken.png'), recordOf(`/home/ann/photos/${HOSTILE}`)];
const RUNNING = batchOf({
  id: '51be02',
  state: 'running',
  inputs: ['./scans', 'b'],
  finishedAt: null,
  walkEnded: false,
});
const WATCH = batchOf({ command: 'watch', inputs: ['./inbox'], counts: { ...NOTHING, completed: 12 } });
const BATCHES = [
  batchOf(),
  RUNNING,
  batchOf({ inputs: [HOSTILE], command: 'watch', bytesIn: 0, bytesOut: 0 }),
];

describe('the text of status', () => {
  it('shows state, absolute folders, counts, sizes and each failure with its fix', () => {
    const text = statusText(batchOf(), FAILED, styleOf({ width: 120 }), NOW);
    expect(text).toMatch(
      /^Batch 7f3a9c {3}finished, 3 failed {2}\/home\/ann\/photos {2}-> \/home\/ann\/out\n/,
    );
    expect(text).toContain('(31.0s)  process  preset web  4 at a time\n');
    expect(text).toContain('  images   1,284   1,240 completed  41 duplicate  3 failed\n');
    expect(text).toContain('  size     3.9 GB -> 982 MB (-75%)\n');
    expect(text).toContain('cut short: 12 kB of 340 kB\n');
    expect(text).toContain('fix: copy the file again\n');
  });

  it('fits every width from 20 columns to 120', () => {
    for (let columns = 20; columns <= 120; columns++) {
      for (const all of [false, true]) {
        const lines = statusText(RUNNING, FAILED, styleOf({ width: columns }), NOW, { all }).split('\n');
        expect(Math.max(...lines.map(width))).toBeLessThanOrEqual(columns);
      }
    }
  });

  it('holds no control code in a pipe and cuts nothing there', () => {
    const text = statusText(batchOf(), FAILED, PIPE, NOW);
    expect(text).not.toMatch(CONTROL);
    expect(text).toContain('gpj\\ud800.jpg');
    expect(text).toMatch(/^Batch 7f3a9c {3}finished, 3 failed .*\n {2}started .*\n {2}images .*\n {2}size /);
  });

  it('names the first damaged images, and all with --all', () => {
    const degraded = ['/p/a.jpg', '/p/b.jpg', '/p/c.jpg', '/p/d.jpg', '/p/e.jpg'];
    const textOf = (all: boolean) => statusText(batchOf(), [], PIPE, NOW, { all, degraded });
    const what = '  aside    5 images are damaged, and their outputs show what could be read: ';
    expect(textOf(false)).toContain(`${what}/p/a.jpg, /p/b.jpg, /p/c.jpg and 2 more; --all names them\n`);
    expect(textOf(true)).toContain(`${what}${degraded.join(', ')}\n`);
  });

  it('shows every job with --all', () => {
    const done = recordOf('/home/ann/a.jpg', {
      state: 'completed',
      error: null,
      ms: renderedOf('a').ms ?? null,
    });
    const text = statusText(batchOf(), [done, ...FAILED], styleOf(), NOW, { all: true });
    expect(text).toMatch(/\n {2}completed +348 kB +0 +171ms {2}\/home\/ann\/a\.jpg\n/);
  });

  it('lists the paths of all outputs below their source with --all, and where those of unchanged images are', () => {
    const outputs = renderedOf('a').outputs?.map((output) => ({
      ...output,
      path: `/home/ann/${output.path}`,
    }));
    const done = recordOf('/home/ann/a.jpg', { state: 'completed', error: null, outputs: outputs ?? [] });
    const batch = batchOf({ counts: { ...NOTHING, completed: 1, unchanged: 2 } });
    const text = statusText(batch, [done], styleOf(), NOW, { all: true });
    expect(text).toContain(
      '/home/ann/a.jpg\n    /home/ann/out/thumbnail.webp\n    /home/ann/out/medium.webp\n',
    );
    expect(text).toContain('\nThe outputs of unchanged images are in /home/ann/out\n');
    const brief = statusText(batch, [], styleOf(), NOW);
    expect(brief).not.toMatch(/webp|unchanged images/);
  });

  it('gives a fix that several failures have once, also below the rows of --all', () => {
    for (const all of [false, true]) {
      const text = statusText(batchOf(), FAILED, styleOf({ width: 120 }), NOW, { all });
      expect(text.match(/cut short: 12 kB of 340 kB/g)).toHaveLength(2);
      expect(text.match(/fix: copy the file again/g)).toHaveLength(1);
    }
  });

  it('shows the counts of a running watch, and nothing left to do for a stopped one', () => {
    const running = { ...WATCH, state: 'running', finishedAt: null } as const;
    const text = statusText(running, [], styleOf({ width: 120 }), NOW);
    expect(text).toContain('(2m 0s)  watch  preset web');
    expect(text).toContain('  images   12   12 completed\n');
    expect(text).not.toContain('found so far');
    expect(statusText(WATCH, [], styleOf(), NOW)).not.toContain('Run the same');
  });

  it('says how to continue a stopped batch', () => {
    const cancelled = statusText(batchOf({ state: 'cancelled' }), [], styleOf(), NOW);
    expect(cancelled).toContain('\nGo on: imgtool resume 7f3a9c\n');
    const watch = statusText({ ...WATCH, state: 'interrupted' }, [], styleOf(), NOW);
    expect(watch).toContain('\nRun the same command again to go on.\n');
  });

  it('says how to retry failed images once the batch has ended', () => {
    expect(statusText(batchOf(), [], styleOf(), NOW)).toContain('\nRetry the failed: imgtool retry 7f3a9c\n');
    const running = batchOf({ state: 'running', finishedAt: null });
    expect(statusText(running, [], styleOf(), NOW)).not.toContain('imgtool retry');
  });

  it('suggests no retry when each failure would come again', () => {
    const batch = batchOf({ counts: { ...NOTHING, completed: 3, failed: 2 } });
    const text = statusText(batch, FAILED, styleOf(), NOW);
    expect(text).toContain('\nA retry alone does not help: first do what the fix lines say.\n');
    expect(text).not.toContain('imgtool retry');
    const passing = recordOf('/c.jpg', { error: { code: 'io', message: 'EIO' } });
    expect(statusText(batch, [FAILED[0]!, passing], styleOf(), NOW)).toContain('imgtool retry 7f3a9c\n');
  });
});

describe('the documents of --json', () => {
  it('hold the batch with all eight counts, ISO times and the jobs given', () => {
    const document = JSON.parse(JSON.stringify(statusJson(batchOf(), FAILED)));
    expect(Object.keys(document)).toEqual(['v', 'batch', 'jobs']);
    const damaged = JSON.parse(JSON.stringify(statusJson(batchOf({ degraded: 1 }), [], ['/p/a.jpg'])));
    expect(damaged).toMatchObject({ batch: { degraded: 1 }, degradedSources: ['/p/a.jpg'] });
    expect(Object.keys(document.batch.counts)).toEqual([...JOB_STATES]);
    expect(document.batch).toMatchObject({
      ...{ id: '7f3a9c', state: 'finished', total: 1284, startedAt: '2026-11-21T14:02:00.000Z' },
      ...{ inputs: ['/home/ann/photos'], out: '/home/ann/out' },
    });
    expect(document.jobs[0]).toMatchObject({ state: 'failed', error: { code: 'corrupt' }, attempts: 1 });
  });

  it('hold all batches of a list', () => {
    const document = JSON.parse(JSON.stringify(listJson(BATCHES)));
    expect(document.batches.map(({ id }: { id: string }) => id)).toEqual(['7f3a9c', '51be02', '7f3a9c']);
    expect(document.batches[1].finishedAt).toBeNull();
  });
});

describe('the list', () => {
  it('is a table on a terminal', () => {
    const [head, first, second] = listText(BATCHES, styleOf(), NOW).split('\n');
    expect(head).toBe('BATCH   STATE          IMAGES  FAILED  SAVED         WHEN       SOURCE');
    expect(first).toBe('7f3a9c  finished        1,284       3  2.9 GB  -75%  2 min ago  ./photos');
    expect(second).toMatch(/^51be02 {2}running {3}1,284\/1,284 .* now {8}\.\/scans and 1 m…$/);
  });

  it('shows a watch that runs as one', () => {
    const text = listText([{ ...WATCH, state: 'running', finishedAt: null }], styleOf(), NOW);
    expect(text).toMatch(/\n7f3a9c {2}running {3}12\/12 {7}0 .* now {3}\.\/inbox \(watch\)\n/);
  });

  it('is TAB-separated with raw figures outside a terminal', () => {
    const text = listText(BATCHES, PIPE, NOW);
    const [head, first] = text.split('\n');
    expect(head?.split('\t').join(' ')).toBe(
      'batch state total completed failed bytes_in bytes_out started source duplicate unchanged cancelled',
    );
    expect(first?.split('\t')).toEqual(
      '7f3a9c finished 1284 1240 3 3900000000 982000000 2026-11-21T14:02:00.000Z ./photos 41 0 0'.split(' '),
    );
    expect(text).not.toMatch(CONTROL_BUT_TAB);
    expect(
      text
        .split('\n')
        .slice(0, -1)
        .every((row) => row.split('\t').length === 12),
    ).toBe(true);
  });

  it('fits every width and says when there can be older batches', () => {
    for (let columns = 20; columns <= 120; columns++) {
      const lines = listText(BATCHES, styleOf({ width: columns }), NOW, 3).split('\n');
      expect(Math.max(...lines.map(width))).toBeLessThanOrEqual(columns);
    }
    expect(listText(BATCHES, styleOf(), NOW, 15)).toContain('\n3 batches. Older: imgtool list --limit 15\n');
    expect(listText(BATCHES, styleOf(), NOW)).not.toContain('Older');
  });

  it('says what to do when there are no batches', () => {
    expect(listText([], styleOf(), NOW)).toContain('No batches yet');
    expect(listText([batchOf({ counts: NOTHING })], styleOf(), NOW)).toContain('1 batch.');
  });
});
