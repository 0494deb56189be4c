import { expect, it } from 'vitest';
import { PICTURE_EXTENSIONS, UNSUPPORTED_KINDS } from '../../src/model/sources.ts';

it('no extension is both that of a format that is read and that of another format', () => {
  expect([...UNSUPPORTED_KINDS.keys()].filter((extension) => PICTURE_EXTENSIONS.has(extension))).toEqual([]);
});

it('every extension is written in lower case, as a walk compares it', () => {
  for (const extension of [...PICTURE_EXTENSIONS, ...UNSUPPORTED_KINDS.keys()])
    expect(extension).toMatch(/^[a-z0-9]+$/);
});
