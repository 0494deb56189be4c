import { expect, it } from 'vitest';
import { measured, padEnd, width } from '../../src/report/text.ts';

// This is the only test of reports that does not import `samples.ts`, which loads string-width.
it('loads string-width and draws again when a text is not ASCII', async () => {
  let drawn = 0;
  const draw = (text: string) => () => {
    drawn++;
    return `${padEnd(text, 6)}|`;
  };
  expect([await measured(draw('plain')), drawn]).toEqual(['plain |', 1]);
  expect([await measured(draw('写真')), drawn]).toEqual(['写真  |', 3]);
  expect([await measured(draw('写真')), drawn], 'loaded by now').toEqual(['写真  |', 4]);
  expect(width('é\u001b[1m')).toBe(1);
});
