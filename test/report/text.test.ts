import { describe, expect, it } from 'vitest';
import { cut, cutStart, padEnd, padStart, printable, widest, width, wrap } from '../../src/report/text.ts';
import { CONTROL, HOSTILE } from './samples.ts';

const WIDE = 'とても長い名前の写真👨‍👩‍👧.jpg';

describe('printable', () => {
  it('escapes characters that move the cursor, break a line or change its direction', () => {
    expect(printable('a\nb\tc\u001b[31m\u009b\u202e\ud800')).toBe('a\\nb\\tc\\x1b[31m\\x9b\\u202e\\ud800');
    expect(printable(HOSTILE)).not.toMatch(CONTROL);
  });

  it('leaves letters of every script and joined emoji alone', () => {
    expect(printable(WIDE)).toBe(WIDE);
  });
});

describe('the width of the widest text', () => {
  it('is known for any number of texts', () => {
    expect(widest([])).toBe(0);
    expect(widest(Array.from({ length: 150_000 }, (_, i) => `${i}`))).toBe(6);
  });
});

describe('cutting', () => {
  it('leaves what fits as it is', () => {
    expect(cut('IMG_1.jpg', 9)).toBe('IMG_1.jpg');
  });

  it('keeps the beginning or the end, with an ellipsis of either alphabet', () => {
    expect(cut('photographs.jpg', 8)).toBe('photogr…');
    expect(cutStart('photos/deep/IMG_1.jpg', 10)).toBe('…IMG_1.jpg');
    expect(cut('photographs.jpg', 8, '...')).toBe('photo...');
  });

  it('never takes more columns than there are, nor splits a character', () => {
    for (let columns = 0; columns < 40; columns++) {
      for (const cutter of [cut, cutStart]) {
        for (const ellipsis of ['…', '...']) {
          const text = cutter(WIDE, columns, ellipsis);
          expect(width(text)).toBeLessThanOrEqual(columns);
          expect(text).toBe(text.replace(/\p{Surrogate}/gu, ''));
        }
      }
    }
  });
});

describe('wrap', () => {
  it('breaks at spaces, and inside a word only when it is longer than a line', () => {
    expect(wrap('not an image at all', 8)).toEqual(['not an', 'image at', 'all']);
    expect(wrap('abcdefghij kl', 4)).toEqual(['abcd', 'efgh', 'ij', 'kl']);
  });

  it('loses no character and passes no margin', () => {
    const text = `remove ${WIDE}, or exclude it with --exclude '${WIDE}'`;
    for (let columns = 2; columns < 60; columns++) {
      const lines = wrap(text, columns);
      expect(Math.max(...lines.map(width))).toBeLessThanOrEqual(columns);
      expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
    }
  });
});

describe('padding', () => {
  it('counts columns, not characters', () => {
    expect(padEnd('写真', 6)).toBe('写真  ');
    expect(padStart('写真', 6)).toBe('  写真');
  });
});
