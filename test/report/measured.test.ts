import { expect, it } from 'vitest';
import { measured, padEnd, width } from '../../src/report/text.ts';

// Of all tests of the report this one alone does not begin with the tables loaded.
it('draws again with the tables of letters once something is drawn that plain text is not', async () => {
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
