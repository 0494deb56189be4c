import { describe, expect, it } from 'vitest';
import { checkTemplate } from '../../src/config/template.ts';
import { failure } from './folders.ts';

const place = { code: 'usage', text: '--name' } as const;

describe('a template', () => {
  it.each(['{dir}/{name}_{variant}.{ext}', '{preset}/{format}/a..b-{name}', 'x', './{name}', '…/{name}'])(
    'such as %s is fine',
    (template) => {
      expect(() => checkTemplate(template, place)).not.toThrow();
    },
  );

  it.each([
    ['/{name}', 'a name relative to --out'],
    ['C:\\{name}', 'a name relative to --out'],
    ['../{name}', 'a name inside --out, without ".."'],
    ['{dir}/../{name}', 'a name inside --out, without ".."'],
    ['{dir}../{name}', 'a name inside --out, without ".."'],
    ['a\\..\\{name}', 'a name inside --out, without ".."'],
    ['{name', 'each { closed by a }'],
    ['name}', 'each { closed by a }'],
    ['{name}/', 'a file name without control characters'],
    ['{name}\n', 'a file name without control characters'],
  ])('%j is refused: expected %s', async (template, expected) => {
    const error = await failure(() => checkTemplate(template, place));
    expect(error.message).toBe(`--name: expected ${expected}, got ${JSON.stringify(template)}`);
    expect(error.fix).toBeDefined();
  });

  it('with words in braces that are no placeholders names the nearest', async () => {
    const error = await failure(() => checkTemplate('{variants}.{extension}{}', place));
    expect(error.message).toBe(
      '--name: unknown placeholder "variants" (did you mean "variant"?); ' +
        'unknown placeholder "extension"; unknown placeholder ""',
    );
  });
});
