import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { openLibrary, withLoopFilters } from '../../../src/image/heic/library.ts';
import { openPrimary } from '../../../src/image/heic/picture.ts';
import { fixture, TILE } from './heic-writer.ts';

const MB = 2 ** 20;
const wasm = createRequire(import.meta.url).resolve('libheif-js/libheif-wasm/libheif.wasm');

describe('libheif', () => {
  it('filters the edges of blocks: this version of the package sets both parameters at two places', async () => {
    const code = await readFile(wasm);
    const filtered = withLoopFilters(Buffer.from(code));
    const changed = [...code.keys()].filter((at) => code[at] !== filtered[at]);
    expect(changed).toHaveLength(4);
    expect(changed.map((at) => [code[at], filtered[at]])).toEqual(Array(4).fill([1, 0]));
  });

  it('takes no more memory than it may, and says so', async () => {
    const library = await openLibrary(() => 40 * MB);
    expect(library.heif._malloc(4 * MB)).not.toBe(0);
    expect(library.isStarved()).toBe(false);
    expect(library.heif._malloc(60 * MB)).toBe(0);
    expect(library.isStarved()).toBe(true);
  });

  it('has memory of its own each time', async () => {
    const [one, other] = [await openLibrary(() => 40 * MB), await openLibrary(() => 40 * MB)];
    const bytes = fixture('plain.heic');
    const size = TILE.width * TILE.height * 3;
    const [first, second] = [Buffer.alloc(size), Buffer.alloc(size)];
    const picture = openPrimary(one, bytes);
    openPrimary(other, bytes).decode(second, true);
    other.heif.HEAPU8.fill(0);
    picture.decode(first, true);
    expect(first.equals(second)).toBe(true);
  });
});
