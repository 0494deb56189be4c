import { expect, it } from 'vitest';
import { nearest } from '../../src/variants/place.ts';

it.each([
  ['wbe', ['archive', 'web'], 'web'],
  ['qualty', ['quality', 'width'], 'quality'],
  ['thumb', ['medium', 'thumbnail'], 'thumbnail'],
  ['--dryrun', ['--dry-run', '--duplicates'], '--dry-run'],
  ['WEB', ['web'], 'web'],
  ['limit-pixels', ['limitPixels'], 'limitPixels'],
  ['maybe', ['true', 'false'], undefined],
  ['w', ['h', 'q'], undefined],
  ['', ['a', 'ab'], undefined],
  ['xyzzy', [], undefined],
])('the word meant by %j among %j is %j', (word, candidates, meant) => {
  expect(nearest(word, candidates)).toBe(meant);
});
