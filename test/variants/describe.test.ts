import { describe, expect, it } from 'vitest';
import { cellsOf, fieldsTable } from '../../src/variants/describe.ts';
import { FIELD_KEYS, fullVariant } from '../../src/variants/fields.ts';

describe('a variant in the list of presets', () => {
  it.each([
    [{ width: 5 }, ['w=5', 'q85', 'effort 4']],
    [{ height: 5, format: 'jpeg' }, ['h=5', 'q85', 'background #ffffff']],
    [{ width: 5, height: 6, format: 'png' }, ['5x6 inside', 'lossless', 'effort 7']],
    [
      { width: 5, height: 6, fit: 'cover', position: 'left top', grayscale: true, sharpen: true },
      ['5x6 cover', 'q85', 'effort 4, position left top, grayscale, sharpen'],
    ],
    [{ width: 5, height: 6, fit: 'cover', lossless: true }, ['5x6 cover', 'lossless', 'effort 4']],
  ] as const)('%j', (loose, [size, quality, options]) => {
    expect(cellsOf(fullVariant({ name: 'a', ...loose }))).toEqual({ size, quality, options });
  });
});

describe('the fields of a variant', () => {
  it('are a table of keys, values, defaults and help', () => {
    const lines = fieldsTable().split('\n');
    expect(lines).toHaveLength(FIELD_KEYS.length + 3);
    expect(lines).toContain(
      '| `fit` | one of inside, cover | inside | inside keeps the whole picture; cover fills the box and cuts the rest off |',
    );
    expect(lines.find((line) => line.startsWith('| `effort` |'))).toBe(
      '| `effort` | webp: a whole number from 0 to 6; jpeg: no effort for jpeg; png: a whole number from 1 to 10; ' +
        'avif: a whole number from 0 to 9 | webp: 4; jpeg: 0; png: 7; avif: 2 | ' +
        'how hard the encoder tries, from fastest to smallest |',
    );
  });
});
