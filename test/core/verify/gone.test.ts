import { rmSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { openLocalStorage } from '../../../src/adapters/local-storage.ts';
import { type FileProbe, forgetGone, separateGone } from '../../../src/core/verify/gone.ts';
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

describe('what is gone together with its source', () => {
  const lookAfter = async (probe: Partial<FileProbe>) => {
    for (const name of ['a', 'b']) rmSync(out(name));
    const everything: FileProbe = {
      isThere: () => true,
      isGone: () => false,
      kindOf: () => '',
      lackOf: () => undefined,
    };
    const looked = await verify(fixing(), undefined, never());
    return { looked, sorted: await separateGone(workshop.index, looked, { ...everything, ...probe }) };
  };
  const isA = (source: string) => source === workshop.at('photos/a.jpg');
  const A_IS_GONE: Partial<FileProbe> = { isGone: isA, isThere: (source) => !isA(source) };

  it('is set aside from what is wrong, and is no longer counted as verified', async () => {
    const { sorted } = await lookAfter(A_IS_GONE);
    expect([sorted.looked.verified, all.wordsOf(sorted.looked), all.wordsOf({ wrong: sorted.gone })]).toEqual(
      [...[3, { b: ['missing'] }, { a: ['missing'] }]],
    );
    expect(sorted.isMendable).toBe(true);
  });

  it('is forgotten but where it is there again, or its source is', async () => {
    const { sorted } = await lookAfter({ isGone: () => true, isThere: () => false });
    const storage = openLocalStorage('0000');
    const probe = (isGone: FileProbe['isGone']) => ({
      isThere: () => true,
      isGone,
      kindOf: () => '',
      lackOf: () => undefined,
    });
    expect(
      await forgetGone(
        workshop.index,
        storage,
        sorted.gone,
        probe(() => false),
      ),
    ).toBe(0);
    writeFileSync(out('b'), 'made meanwhile');
    expect(
      await forgetGone(
        workshop.index,
        storage,
        sorted.gone,
        probe(() => true),
      ),
    ).toBe(1);
    const lookup = await workshop.index.lookup([], [out('a'), out('b')]);
    expect([lookup.output(out('a')), lookup.output(out('b'))?.path]).toEqual([undefined, out('b')]);
  });
});
