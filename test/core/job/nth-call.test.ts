import { it } from 'vitest';
import { openLocalStorage } from '../../../src/adapters/local-storage.ts';
import type { ErrorCode } from '../../../src/errors.ts';
import { type Fault, faultyIndex, faultyStorage } from '../faulty.ts';
import { failure } from '../made-up.ts';
import { eachInTurn, runThree } from '../three.ts';

/** Whatever call of a port fails, and whether it had done its work before: nothing is lost, nothing is half. */

it.each([
  ['before', 'io'],
  ['before', 'no_space'],
  ['after', 'io'],
] as const)('each call of the storage in its turn, failing %s its work with %s', (when, code) =>
  inTurn('storage', (at) => ({
    at,
    when,
    error: errorOf(code),
    spares: when === 'after' ? isStaging : () => false,
  })),
);

it.each(['no_space', 'not_writable'] as const)(
  'the storage from each of its calls on, failing with %s',
  (code) => inTurn('storage', (at) => ({ at, when: 'before', lasts: true, error: errorOf(code) })),
);

it.each(['before', 'after'] as const)('each call of the index in its turn, failing %s its work', (when) =>
  inTurn('index', (at) => ({ at, when, error: errorOf('index_unusable') })),
);

it('the index from each of its calls on', () =>
  inTurn('index', (at) => ({ at, when: 'before', lasts: true, error: errorOf('no_space') })));

/** What was staged and never handed out is the storage's own to remove. */
const isStaging = (name: string) => name.startsWith('storage.stage');

const errorOf = (code: ErrorCode) => (name: string) =>
  name === 'storage.discard'
    ? Object.assign(new Error(`${code}: asked for`), { code: 'EIO' })
    : failure(code);

/** Fails one call after the other, each in a batch of its own, until a batch has no further call. */
async function inTurn(port: 'index' | 'storage', faultAt: (at: number) => Fault): Promise<void> {
  await eachInTurn(faultAt, (three, wire, run) => {
    const real = openLocalStorage(run);
    const storage = port === 'storage' ? faultyStorage(real, wire) : real;
    const index = port === 'index' ? faultyIndex(three.shop.index, wire) : three.shop.index;
    return runThree(three, { storage, index });
  });
}
