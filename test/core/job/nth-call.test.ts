import { it } from 'vitest';
import { openLocalStorage } from '../../../src/adapters/local-storage.ts';
import type { ErrorCode } from '../../../src/errors.ts';
import { type Fault, faultyIndex, faultyStorage } from '../faulty.ts';
import { failure } from '../made-up.ts';
import { eachInTurn, runThree } from '../three.ts';

// Any call of a port may fail, before or after its work. Nothing may be lost or half done.

it.each([
  ['before', 'io'],
  ['before', 'no_space'],
  ['after', 'io'],
] as const)('a batch stays sound when any call of the storage fails %s its work with %s', (when, code) =>
  inTurn('storage', (at) => ({
    at,
    when,
    error: errorOf(code),
    spares: when === 'after' ? isStaging : () => false,
  })),
);

it.each(['no_space', 'not_writable'] as const)(
  'a batch stays sound when all calls of the storage from any one on fail with %s',
  (code) => inTurn('storage', (at) => ({ at, when: 'before', lasts: true, error: errorOf(code) })),
);

it.each(['before', 'after'] as const)(
  'a batch stays sound when any call of the index fails %s its work',
  (when) => inTurn('index', (at) => ({ at, when, error: errorOf('index_unusable') })),
);

it('a batch stays sound when all calls of the index from any one on fail', () =>
  inTurn('index', (at) => ({ at, when: 'before', lasts: true, error: errorOf('no_space') })));

/** A file that `stage` creates but never returns is removed by the storage itself. */
const isStaging = (name: string) => name.startsWith('storage.stage');

const errorOf = (code: ErrorCode) => (name: string) =>
  name === 'storage.discard'
    ? Object.assign(new Error(`${code}: asked for`), { code: 'EIO' })
    : failure(code);

/** Lets one call after the other fail, each in its own batch, until a batch has no further call. */
async function inTurn(port: 'index' | 'storage', faultAt: (at: number) => Fault): Promise<void> {
  await eachInTurn(faultAt, (three, wire, run) => {
    const real = openLocalStorage(run);
    const storage = port === 'storage' ? faultyStorage(real, wire) : real;
    const index = port === 'index' ? faultyIndex(three.shop.index, wire) : three.shop.index;
    return runThree(three, { storage, index });
  });
}
