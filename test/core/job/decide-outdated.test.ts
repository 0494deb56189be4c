import { describe, expect, it } from 'vitest';
import { decide, type Facts } from '../../../src/core/job/decide.ts';
import { elsewhere, found, inWords, known, made, unmade, want } from './decisions.ts';

describe('the rule for outputs of an older recipe', () => {
  it.each<[string, Partial<Facts>, string]>([
    [
      'keeps an output of an older recipe',
      { wanted: [want({ record: { ...made, recipe: null } })] },
      'unchanged',
    ],
    [
      'renders an output of an older recipe again when asked to',
      { wanted: [want({ record: { ...made, recipe: null } })], outdated: true },
      'render: render over',
    ],
    [
      'renders an output again whose source is decoded by a newer recipe, when asked to',
      {
        kind: { format: 'svg', pages: 1 },
        wanted: [want({ record: { ...made, recipe: 2 } })],
        outdated: true,
      },
      'render: render over',
    ],
    [
      'keeps an output that is newer than the recipe of its source when outdated ones are rendered again',
      {
        kind: { format: 'svg', pages: 1 },
        wanted: [want({ record: { ...made, recipe: 6 } })],
        outdated: true,
      },
      'unchanged',
    ],
    [
      'renders a still output of an animation again when asked to',
      {
        kind: { format: 'gif', pages: 3 },
        wanted: [want({ record: { ...made, recipe: 4 } })],
        outdated: true,
      },
      'render: render over',
    ],
    ['keeps an output of this recipe when outdated ones are rendered again', { outdated: true }, 'unchanged'],
    [
      'places an output of this recipe that a copy of the source has in place of an outdated one',
      { wanted: [want({ record: { ...made, recipe: 1 } })], elsewhere: [elsewhere()], outdated: true },
      'duplicate: link over',
    ],
    [
      'does not place an outdated output of a copy when outdated ones are rendered again',
      { recorded: undefined, wanted: [unmade], elsewhere: [elsewhere({}, { recipe: 1 })], outdated: true },
      'render: render',
    ],
    [
      'does not adopt an outdated file when outdated ones are rendered again',
      {
        recorded: undefined,
        wanted: [{ ...found, isMoved: true }],
        elsewhere: [elsewhere({}, { recipe: 1 })],
        outdated: true,
      },
      'render: render over',
    ],
    [
      'skips a duplicate while the output of its owner is outdated',
      {
        recorded: undefined,
        wanted: [unmade],
        elsewhere: [elsewhere({}, { recipe: 1 })],
        duplicates: 'skip',
        outdated: true,
      },
      'duplicate: skip',
    ],
  ])('%s', (_title, over, expected) => {
    expect(inWords(decide(known(over)))).toBe(expected);
  });
});
