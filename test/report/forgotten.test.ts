import { describe, expect, it } from 'vitest';
import { noticeLines } from '../../src/report/notices.ts';
import { forgottenText } from '../../src/report/verify.ts';
import { CONTROL, HOSTILE, PIPE, styleOf } from './samples.ts';

const NOTHING = { dryRun: false, outputs: [], sources: [], kept: [], unclear: [] };

describe('the text of forget', () => {
  it('has a line for each path, and a summary that says what stays', () => {
    const text = forgottenText(
      { ...NOTHING, outputs: ['/out/a.webp'], sources: ['/photos/a.jpg'], kept: ['/out/b.webp'] },
      PIPE,
    );
    expect(text.split('\n')).toEqual([
      'forgot output /out/a.webp',
      'forgot source /photos/a.jpg',
      'still there: /out/b.webp',
      'forgot 1 output and 1 source; what still exists stays recorded (1)',
      '',
    ]);
  });

  it('says what is out of reach', () => {
    expect(forgottenText({ ...NOTHING, unclear: ['/disk/a.jpg'] }, PIPE).split('\n')).toEqual([
      'out of reach: /disk/a.jpg',
      'forgot 0 outputs and 0 sources',
      'What is out of reach stays recorded (1): a disk may not be mounted.',
      'If it is gone for good, name it, or the empty folder.',
      '',
    ]);
  });

  it('says of a dry run what would be forgotten, and nothing of files that stay if there are none', () => {
    const text = forgottenText({ ...NOTHING, dryRun: true, outputs: ['/out/a.webp'] }, PIPE);
    expect(text).toBe('would forget output /out/a.webp\nwould forget 1 output and 0 sources\n');
  });

  it('lists the first fifty paths of a kind, and counts the others', () => {
    const outputs = Array.from({ length: 1_060 }, (_, i) => `/out/${i}.webp`);
    const lines = forgottenText({ ...NOTHING, outputs }, PIPE)
      .trimEnd()
      .split('\n');
    expect(lines).toHaveLength(52);
    expect(lines.slice(-3)).toEqual([
      'forgot output /out/49.webp',
      '... and 1,010 more; --json lists all',
      'forgot 1,060 outputs and 0 sources',
    ]);
  });

  it('escapes control characters', () => {
    expect(forgottenText({ ...NOTHING, kept: [HOSTILE] }, PIPE)).not.toMatch(CONTROL);
  });
});

describe('a removal on a terminal', () => {
  const removed = { type: 'removed', batch: 'b', source: 'photos/a.jpg', paths: ['out/a.webp'] } as const;
  const lines = (over: object, verbose = false) =>
    noticeLines({ ...removed, ...over }, verbose, styleOf({ color: false }));

  it('is listed with --verbose and in a dry run', () => {
    expect(lines({})).toEqual([]);
    expect(lines({}, true)).toEqual([' - removed out/a.webp']);
    expect(lines({ dryRun: true })).toEqual([' - would remove out/a.webp']);
  });

  it('escapes control characters', () => {
    expect(lines({ paths: [HOSTILE] }, true).join('\n')).not.toMatch(CONTROL);
  });
});
