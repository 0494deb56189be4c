import { rmSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { forgetGone, separateGone } from '../../../src/core/verify/gone.ts';
import { verify } from '../../../src/core/verify/verify.ts';
import type { Workshop } from '../made-up.ts';
import { never, openVerification, type Verification } from './verifying.ts';

let all: Verification;
let workshop: Workshop;
beforeEach(async () => {
  all = await openVerification();
  workshop = all.workshop;
});
const fixing: Verification['fixing'] = (...over) => all.fixing(...over);
const out = (name: string) => all.out(name);

describe('an output that is gone together with its source', () => {
  /** Ports for which some sources are gone. */
  const without = (isGone: (source: string) => boolean) => {
    const gone = async (paths: readonly string[]) => paths.filter(isGone);
    return { sources: { gone, missing: gone } };
  };
  const lookAfter = async (isGone: (source: string) => boolean) => {
    for (const name of ['a', 'b']) rmSync(out(name));
    const looked = await verify(fixing(), {}, never());
    return { looked, sorted: await separateGone(fixing(without(isGone)), looked) };
  };

  it('counts neither as wrong nor as verified', async () => {
    const { sorted } = await lookAfter((source) => source === workshop.at('photos/a.jpg'));
    expect([sorted.looked.verified, all.wordsOf(sorted.looked), all.wordsOf({ wrong: sorted.gone })]).toEqual(
      [...[3, { b: ['missing'] }, { a: ['missing'] }]],
    );
    expect([sorted.mendable, sorted.orphans]).toEqual([1, 0]);
  });

  it('cannot be made again', async () => {
    const { sorted } = await lookAfter(() => true);
    expect([sorted.gone.length, sorted.mendable]).toEqual([2, 0]);
  });

  it('is forgotten unless the output or its source exists again', async () => {
    const { sorted } = await lookAfter(() => true);
    expect(await forgetGone(fixing(without(() => false)), sorted.gone)).toBe(0);
    writeFileSync(out('b'), 'made meanwhile');
    expect(await forgetGone(fixing(without(() => true)), sorted.gone)).toBe(1);
    const lookup = await workshop.index.lookup([], [out('a'), out('b')]);
    expect([lookup.output(out('a')), lookup.output(out('b'))?.path]).toEqual([undefined, out('b')]);
  });
});
