import { describe, expect, it } from 'vitest';
import { outputsBySize } from '../../src/http/bodies.ts';
import type { StoredOutput } from '../../src/model.ts';

/** The names of sizes, each with the output that it leads to. */
function sizesOf(...variants: readonly string[]): Record<string, string> {
  const outputs = variants.map((one) => {
    const [variant, format] = one.split('.');
    return { variant, format } as StoredOutput;
  });
  const sizes = [...outputsBySize({ outputs })];
  return Object.fromEntries(sizes.map(([size, { variant, format }]) => [size, `${variant}.${format}`]));
}

describe('the sizes of an image', () => {
  it('have the names of variants, and of their formats where variants share a name', () => {
    expect(sizesOf('a.webp', 'b.webp', 'b.jpeg')).toEqual({
      ...{ a: 'a.webp', b: 'b.webp', b_webp: 'b.webp', b_jpeg: 'b.jpeg' },
    });
  });

  it('lead to every output, also where a variant has the name that another one gets with its format', () => {
    for (const variants of [
      ['a.webp', 'a.jpeg', 'a_jpeg.webp'],
      ['a_jpeg.webp', 'a.webp', 'a.jpeg'],
      ['a.webp', 'a.jpeg', 'a_jpeg.webp', 'a_jpeg.jpeg', 'a_jpeg_jpeg.webp'],
    ]) {
      const sizes = sizesOf(...variants);
      expect(new Set(Object.values(sizes))).toEqual(new Set(variants));
      for (const variant of variants.map((one) => one.replace(/\..*/, '')))
        expect(sizes[variant]).toMatch(`${variant}.`);
    }
  });
});
