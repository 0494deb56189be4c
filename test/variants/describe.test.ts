import { describe, expect, it } from 'vitest';
import { FIELD_KEYS, fullVariant } from '../../src/variants/fields.ts';
import { cellsOf } from '../../src/variants/written.ts';
import { fieldsHelp } from './fields-help.ts';

describe('a variant in the list of presets', () => {
  it.each([
    [{ width: 5 }, ['w=5', 'q85', 'effort 4']],
    [{ height: 5, format: 'jpeg' }, ['h=5', 'q85', 'effort 0, background #ffffff']],
    [{ height: 5, format: 'gif' }, ['h=5', '-', 'effort 7']],
    [{ height: 5, format: 'tiff' }, ['h=5', 'lossless', '-']],
    [{ width: 5, chroma: 'sharp' }, ['w=5', 'q85', 'effort 4, chroma sharp']],
    [{ width: 5, height: 6, format: 'png' }, ['5x6 inside', 'lossless', 'effort 7']],
    [
      { width: 5, height: 6, fit: 'cover', position: 'left top', grayscale: true, sharpen: true },
      ['5x6 cover', 'q85', 'effort 4, position left top, grayscale, sharpen'],
    ],
    [{ width: 5, height: 6, fit: 'cover', lossless: true }, ['5x6 cover', 'lossless', 'effort 4']],
    [{}, ['same size', 'q85', 'effort 4']],
    [{ scale: '50%', ratio: [16, 9] }, ['50%', 'q85', 'effort 4, ratio 16:9']],
    [{ crop: [1, 2, '3%', 4], page: 2 }, ['same size', 'q85', 'effort 4, crop 1:2:3%:4, page 2']],
  ] as const)('%j', (loose, [size, quality, options]) => {
    expect(cellsOf(fullVariant({ name: 'a', ...loose }))).toEqual({ size, quality, options });
  });
});

describe('the fields of a variant', () => {
  it('are a list of keys, help, values and defaults', () => {
    const help = fieldsHelp();
    expect(help.match(/^- /gm)).toHaveLength(FIELD_KEYS.length);
    expect(help).toContain('- `trim`: cut off edges of one colour. Values: true or false. Default: false.\n');
    expect(help).toContain(
      '- `effort`: how hard the encoder tries, from fastest to smallest. Values: 0 to 6 (webp); 0 to 2\n' +
        '  (jpeg); 1 to 10 (png, gif); 0 to 9 (avif). Default: 4 (webp); 0 (jpeg); 7 (png, gif); 2 (avif).\n',
    );
  });
});
