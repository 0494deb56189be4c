import { describe, expect, it, vi } from 'vitest';
import type { Verified, WrongOutput } from '../../src/model/verified.ts';
import type { Failure } from '../../src/model.ts';
import { oneLine } from '../../src/report/json.ts';
import { width } from '../../src/report/text.ts';
import { createVerifyProgress, verifyJson, verifyText } from '../../src/report/verify.ts';
import { outputRecord } from '../records.ts';
import { CONTROL, HOSTILE, memoryStream, PIPE, styleOf } from './samples.ts';

const MISSING = { problem: 'missing', message: 'is not there' } as const;
const CHANGED = { problem: 'changed', message: 'has 3 bytes, not the 300 that were written' } as const;
const TORN = { problem: 'undecodable', message: `cut short ${HOSTILE}` } as const;

const wrongOf = (path: string, ...problems: WrongOutput['problems']): WrongOutput => ({
  record: outputRecord(path, '/photos/a.jpg'),
  problems,
  isBroken: false,
});
const FIRST = wrongOf('/out/a.webp', MISSING);
const SECOND = wrongOf(`/out/${HOSTILE}`, CHANGED, TORN);
const GONE: Failure = { code: 'source_missing', message: `${HOSTILE} is gone`, fix: 'bring it back' };

const verified = (over: Partial<Verified> = {}): Verified => ({
  ...{ batch: null, verified: 1_240, wrong: [FIRST, SECOND], gone: 0 },
  ...{ mendable: 2, orphans: 0, isStopped: false, fixBy: 'imgtool verify --fix' },
  ...over,
});
const remade = new Map([
  [FIRST, null],
  [SECOND, GONE],
]);
const sumOf = (over: Partial<Verified>) => verifyText(verified(over), PIPE).trimEnd().split('\n').slice(-2);

describe('the text of verify', () => {
  it('has a line for each output that is wrong, and says what to do', () => {
    const text = verifyText(verified(), PIPE);
    const [first, second, ...rest] = text.split('\n');
    expect(first).toBe('/out/a.webp: missing: is not there');
    expect(second).toContain(
      'changed: has 3 bytes, not the 300 that were written; undecodable: cut short evil',
    );
    expect(rest).toEqual([
      '1,240 outputs verified, 2 not in order',
      'Make them again: imgtool verify --fix',
      '',
    ]);
    expect(text).not.toMatch(CONTROL);
  });

  it('says the command to run with escaped names', () => {
    const fixBy = `imgtool verify '${HOSTILE}' --fix`;
    const [, again = ''] = sumOf({ fixBy });
    expect(again).toMatch(/^Make them again: imgtool verify 'evil.*' --fix$/);
    expect(again).not.toMatch(CONTROL);
  });

  it('leaves edited outputs to a command that names their folder', () => {
    expect(sumOf({ mendable: 0, edited: 2, editedBy: 'imgtool verify /out --fix' })).toEqual([
      '1,240 outputs verified, 2 not in order',
      '2 outputs are perhaps edited. Name the folder to make them again: imgtool verify /out --fix',
    ]);
  });

  it('says how to repair outputs only when one of them can be repaired, and what helps the others', () => {
    expect(sumOf({ mendable: 0 })[1]).toBe('1,240 outputs verified, 2 not in order');
    const noSource = 'no source any more and cannot be made again: bring';
    expect(sumOf({ mendable: 1, orphans: 1 })).toEqual([
      'Make 1 of them again: imgtool verify --fix',
      `1 output has ${noSource} its source back, or remove it.`,
    ]);
    expect(sumOf({ mendable: 0, orphans: 2 })).toEqual([
      '1,240 outputs verified, 2 not in order',
      `2 outputs have ${noSource} their sources back, or remove them.`,
    ]);
    expect(sumOf({ mendable: 1, forgetBy: 'imgtool forget /photos' })).toEqual([
      'Make 1 of them again: imgtool verify --fix',
      'Bring the missing sources back, or if they are gone for good: imgtool forget /photos',
    ]);
  });

  it('counts outputs that are gone with their source in one line, and says when they were forgotten', () => {
    const all = '1,240 outputs verified, all in order';
    const [first, second] = sumOf({ wrong: [], gone: 60 });
    expect([first, second]).toEqual([
      all,
      '60 outputs are gone together with their sources: imgtool verify --fix forgets them',
    ]);
    expect(sumOf({ wrong: [], gone: 1, fixBy: 'imgtool verify out --fix' })[1]).toBe(
      '1 output is gone together with its source: imgtool verify out --fix forgets it',
    );
    expect(sumOf({ wrong: [], gone: 60, forgotten: 60, remade: new Map() })[1]).toBe(
      '60 outputs are gone together with their sources: forgotten',
    );
    expect(sumOf({ wrong: [], verified: 0, gone: 2 })).toEqual([
      '2 outputs are gone together with their sources: imgtool verify --fix forgets them',
    ]);
  });

  it('lists fifty outputs, those that were not repaired first, and counts the others', () => {
    const many = Array.from({ length: 168 }, (_, i) => wrongOf(`/out/${1_000 + i}.webp`, MISSING));
    const lines = verifyText(verified({ wrong: many }), PIPE).split('\n');
    expect(lines.slice(49, 52)).toEqual([
      '/out/1049.webp: missing: is not there',
      '... and 118 more; --json lists all',
      '1,240 outputs verified, 168 not in order',
    ]);
    const failed = new Map(many.map((one, i) => [one, i === 160 ? GONE : null]));
    const [first, second] = verifyText(verified({ wrong: many, remade: failed }), PIPE).split('\n');
    expect([first, second]).toEqual([
      '/out/1160.webp: missing: is not there',
      expect.stringContaining('not made again'),
    ]);
  });

  it('lists each changed file that a repair replaced, also after the first fifty', () => {
    const many = Array.from({ length: 60 }, (_, i) => wrongOf(`/out/${1_000 + i}.webp`, MISSING));
    const edited = Array.from({ length: 70 }, (_, i) => wrongOf(`/out/${2_000 + i}.webp`, CHANGED));
    const wrong = [...many, ...edited];
    const made = new Map(wrong.map((one) => [one, null]));
    const lines = verifyText(verified({ wrong, remade: made }), PIPE).split('\n');
    expect(lines.filter((line) => line.startsWith('/out/2'))).toHaveLength(70);
    expect(lines.filter((line) => line.startsWith('/out/1'))).toHaveLength(50);
    expect(lines).toContain('... and 10 more; --json lists all');
  });

  it('names the batches that repaired outputs', () => {
    const sum = '1,240 outputs verified, 2 not in order, 1 of them made again';
    expect(sumOf({ remade, madeIn: ['7f3a', '8e2b'] })[1]).toBe(`${sum} in batches 7f3a, 8e2b`);
    expect(sumOf({ remade, madeIn: ['1', '2', '3', '4'] })[1]).toBe(`${sum} in 4 batches`);
  });

  it('says which outputs were repaired', () => {
    const lines = verifyText(verified({ remade }), PIPE).split('\n');
    expect(lines[1]).toBe('  made again');
    expect(lines[3]).toMatch(/^ {2}not made again: evil.* is gone$/);
    expect(lines[4]).toBe('  fix: bring it back');
    expect(lines[5]).toBe('1,240 outputs verified, 2 not in order, 1 of them made again');
    expect(lines.join('\n')).not.toMatch(CONTROL);
  });

  it('says that all is in order, that there are no outputs, and that it was stopped early', () => {
    expect(sumOf({ wrong: [] })).toEqual(['1,240 outputs verified, all in order']);
    expect(sumOf({ wrong: [], verified: 1 })).toEqual(['1 output verified, all in order']);
    expect(sumOf({ wrong: [], verified: 0 })).toEqual(['No outputs to verify.']);
    expect(sumOf({ wrong: [], isStopped: true })).toEqual([
      'Stopped before all were seen.',
      '1,240 outputs verified, all of these in order',
    ]);
  });

  it('fits a screen', () => {
    for (const columns of [30, 40, 80]) {
      const text = verifyText(verified({ remade }), styleOf({ width: columns }));
      expect(Math.max(...text.split('\n').map(width))).toBeLessThanOrEqual(columns);
    }
  });
});

describe('the JSON of verify', () => {
  it('is one document with an entry for each problem', () => {
    const entry = { source: '/photos/a.jpg', variant: 'small' };
    expect(JSON.parse(oneLine(verifyJson(verified({ batch: '7f3a9c' }))))).toEqual({
      v: 1,
      batch: '7f3a9c',
      verified: 1_240,
      wrong: 2,
      gone: 0,
      problems: [
        { path: '/out/a.webp', ...entry, ...MISSING },
        { path: SECOND.record.path, ...entry, ...CHANGED },
        { path: SECOND.record.path, ...entry, ...TORN, message: TORN.message },
      ],
    });
  });

  it('says which outputs were repaired, and why others were not', () => {
    expect(verifyJson(verified({ remade }))).toMatchObject({
      problems: [{ fixed: true }, { fixed: false, error: GONE }, { fixed: false, error: GONE }],
      fixed: 1,
    });
    expect(verifyJson(verified({ wrong: [], remade: new Map() }))).toMatchObject({ fixed: 0 });
    expect(verifyJson(verified({ gone: 3, forgotten: 2, madeIn: ['7f'] }))).toMatchObject({
      ...{ gone: 3, forgotten: 2, batches: ['7f'] },
    });
    expect(verifyJson(verified({ isStopped: true }))).toMatchObject({ stopped: true });
  });
});

describe('the progress of verify', () => {
  it('turns a spinner at once, shows the number of outputs, and shows the cursor at the end', () => {
    vi.useFakeTimers();
    const stream = memoryStream();
    const progress = createVerifyProgress({ stream, style: styleOf() });
    expect(stream.text()).toContain('⠋');
    progress.report(1_240, 3);
    vi.advanceTimersByTime(100);
    progress.close();
    vi.useRealTimers();
    progress.close();
    expect(stream.text()).toContain('1,240 outputs verified, 3 not in order');
    expect(stream.text().endsWith('\u001b[?25h')).toBe(true);
  });

  it('writes nothing without a terminal', () => {
    const progress = createVerifyProgress(null);
    progress.report(1, 0);
    progress.close();
  });
});
