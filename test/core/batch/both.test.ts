import { expect, it } from 'vitest';
import { bothHistories } from '../../../src/core/batch/both.ts';
import { severalBatches, unknownBatch } from '../../../src/errors.ts';
import type { Batch } from '../../../src/model.ts';
import type { PastBatches } from '../../../src/ports.ts';

/** A record with these batches, each with its start. */
function record(batches: Readonly<Record<string, number>>): PastBatches {
  const all = Object.entries(batches).map(([id, startedAt]) => ({ id, startedAt }) as Batch);
  return {
    async batch(idPrefix) {
      const [one, other] = all.filter(({ id }) => id.startsWith(idPrefix));
      if (one === undefined) throw unknownBatch(idPrefix);
      if (other !== undefined) throw severalBatches(idPrefix, one.id, other.id);
      return one;
    },
    batches: async (limit) => all.toSorted((a, b) => b.startedAt - a.startedAt).slice(0, limit),
    async *jobs() {},
    degraded: async () => Object.keys(batches),
    close: async () => {},
  };
}

const both = bothHistories(
  record({ aa11: 1, aa22: 5, bb11: 4 }),
  record({ 'aa11-1': 2, 'cc11-1': 3, 'cc22-1': 6 }),
);
const found = async (id: string) => (await both.batch(id)).id;

it('finds a batch in the record that has it', async () => {
  expect([await found('bb'), await found('cc1'), await found('aa11-')]).toEqual(['bb11', 'cc11-1', 'aa11-1']);
});

it('takes a whole id for that batch, though the id of another one begins so', async () => {
  expect(await found('aa11')).toBe('aa11');
});

it.each([
  ['aa', /several batch ids begin like this \(aa11, aa22\)/],
  ['aa1', /several batch ids begin like this \(aa11, aa11-1\)/],
  ['cc', /several batch ids begin like this \(cc11-1, cc22-1\)/],
  ['dd', /no batch has this id/],
])('finds no single batch by %s', async (id, message) => {
  await expect(both.batch(id)).rejects.toMatchObject({
    code: 'unknown_batch',
    message: expect.stringMatching(message),
  });
});

it('lists the newest batches of both', async () => {
  expect((await both.batches(4)).map(({ id }) => id)).toEqual(['cc22-1', 'aa22', 'bb11', 'cc11-1']);
});

it('keeps the order of each record, which does not depend on the clock', async () => {
  const [back, store] = [record({ aa11: 5, aa22: 1 }), record({ 'bb11-1': 3 })];
  const batches = async () => (await back.batches(2)).toReversed();
  const listed = await bothHistories({ ...back, batches }, store).batches(9);
  expect(listed.map(({ id }) => id)).toEqual(['bb11-1', 'aa22', 'aa11']);
});

it('asks the record that has a batch about it', async () => {
  const both = bothHistories(record({ aa11: 1 }), record({ 'aa11-1': 2, 'cc11-1': 3 }));
  expect(await both.degraded('aa11')).toEqual(['aa11']);
  expect(await both.degraded('aa11-1')).toEqual(['aa11-1', 'cc11-1']);
});
