import { describe, expect, it } from 'vitest';
import type { Batch, Style } from '../../src/model.ts';
import { cancelledText, nothingLeftText } from '../../src/report/status.ts';
import { width } from '../../src/report/text.ts';
import { batchOf, CONTROL, NOTHING, PIPE, styleOf } from './samples.ts';

const CUT = batchOf({
  state: 'cancelled',
  counts: { ...NOTHING, completed: 1_200, failed: 40, cancelled: 760 },
});

describe('the text of cancel', () => {
  it('says how far the batch came and how to continue it', () => {
    for (const was of ['running', 'interrupted'] as const) {
      expect(cancelledText(CUT, was, PIPE)).toBe(
        'Batch 7f3a9c cancelled after 1,240 of 2,000.\nGo on: imgtool resume 7f3a9c\n',
      );
    }
  });

  it('says that a watch was stopped, and to run it again only when jobs are left', () => {
    const finished = batchOf({ command: 'watch', state: 'finished' });
    expect(cancelledText(finished, 'running', PIPE)).toBe('Watch 7f3a9c was stopped.\n');
    expect(cancelledText({ ...CUT, command: 'watch' }, 'running', PIPE)).toBe(
      'Watch 7f3a9c was stopped.\nRun the same command again to go on.\n',
    );
  });

  it('says that a batch had ended before, and in which state', () => {
    expect(cancelledText(batchOf(), 'ended', PIPE)).toBe(
      'Batch 7f3a9c had ended (finished): there was nothing to stop.\n',
    );
    expect(cancelledText(CUT, 'ended', PIPE)).toContain('had ended (cancelled)');
  });

  it('says that a batch finished before it could be stopped', () => {
    expect(cancelledText(batchOf(), 'running', PIPE)).toBe(
      'Batch 7f3a9c finished before it could be stopped.\n',
    );
  });

  it('says that an interrupted batch was interrupted and how to continue it', () => {
    const interrupted = batchOf({ state: 'interrupted', counts: { ...NOTHING, completed: 3, pending: 4 } });
    expect(cancelledText(interrupted, 'running', PIPE)).toBe(
      'Batch 7f3a9c interrupted after 3 of 7.\nGo on: imgtool resume 7f3a9c\n',
    );
  });
});

describe('the text of resume and retry without jobs to do', () => {
  it('says that nothing is left', () => {
    const clean = batchOf({ counts: { ...NOTHING, completed: 3 } });
    expect(nothingLeftText(clean, 'resume', PIPE)).toBe(
      'Batch 7f3a9c is finished: nothing is left to be done.\n',
    );
  });

  it('points to status for failed images, which says whether a retry can help', () => {
    expect(nothingLeftText(batchOf(), 'resume', PIPE)).toContain('\nFailed images: imgtool status 7f3a9c\n');
  });

  it('names another batch that fits the command', () => {
    const clean = batchOf({ counts: { ...NOTHING, completed: 3 } });
    const other = batchOf({ id: '51be02', state: 'interrupted' });
    expect(nothingLeftText(clean, 'resume', PIPE, other)).toContain(
      '\nBatch 51be02 is interrupted: imgtool resume 51be02\n',
    );
    expect(nothingLeftText(clean, 'retry', PIPE, other)).toContain(
      '\nBatch 51be02 has failed images: imgtool retry 51be02\n',
    );
    expect(cancelledText(clean, 'ended', PIPE, other)).toContain(
      '\nBatch 51be02 is running: imgtool cancel 51be02\n',
    );
  });

  it('says that none failed, and points to resume when jobs are left', () => {
    const clean = batchOf({ counts: { ...NOTHING, completed: 3 } });
    expect(nothingLeftText(clean, 'retry', PIPE)).toBe('Batch 7f3a9c has no failed images.\n');
    const cut = batchOf({ state: 'cancelled', counts: { ...NOTHING, completed: 3, cancelled: 2 } });
    expect(nothingLeftText(cut, 'retry', PIPE)).toBe(
      'Batch 7f3a9c has no failed images.\nGo on: imgtool resume 7f3a9c\n',
    );
  });
});

it('no message is wider than the terminal or holds a control code', () => {
  const texts: ((batch: Batch, style: Style) => string)[] = [
    (batch, style) => cancelledText(batch, 'running', style),
    (batch, style) => cancelledText(batch, 'ended', style),
    (batch, style) => nothingLeftText(batch, 'resume', style),
    (batch, style) => nothingLeftText(batch, 'retry', style),
  ];
  for (const batch of [batchOf(), CUT, { ...CUT, command: 'watch' as const }]) {
    for (let columns = 20; columns <= 120; columns += 5) {
      for (const text of texts) {
        const lines = text(batch, styleOf({ width: columns })).split('\n');
        expect(Math.max(...lines.map(width))).toBeLessThanOrEqual(columns);
        expect(lines.join('')).not.toMatch(CONTROL);
        expect(lines.at(-1)).toBe('');
      }
    }
  }
});
