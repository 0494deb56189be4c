import { afterEach, describe, expect, it, vi } from 'vitest';
import { answer } from '../../src/image/work.ts';

const MB = 2 ** 20;
const resting = { ...process.memoryUsage(), external: 8 * MB, rss: 100 * MB };

afterEach(() => {
  vi.restoreAllMocks();
  Reflect.deleteProperty(globalThis, 'gc');
});

/** The collections after a picture that leaves this memory behind. */
async function collections(left: Partial<NodeJS.MemoryUsage>): Promise<string[]> {
  const collected: string[] = [];
  Reflect.set(globalThis, 'gc', (how?: { readonly type: string }) => collected.push(how?.type ?? 'full'));
  vi.spyOn(process, 'memoryUsage').mockReturnValue({ ...resting, ...left });
  Object.assign(process.memoryUsage, { rss: () => left.rss ?? resting.rss });
  expect(await answer({ type: 'release' }, () => {})).toMatchObject({ type: 'resting' });
  return collected;
}

describe('a child that has released its picture', () => {
  it('collects young garbage alone while it holds little memory', async () => {
    expect(await collections({})).toEqual(['minor']);
  });

  it.each([
    ['pixels that nothing refers to', { external: 65 * MB }],
    ['memory of any kind', { rss: 301 * MB }],
  ])('collects all garbage once it holds much: %s', async (_, left) => {
    expect(await collections(left)).toEqual(['minor', 'full', 'full']);
  });
});
