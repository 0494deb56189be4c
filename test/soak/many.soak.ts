import { expect, it, vi } from 'vitest';
import { assertRenderedOnce } from '../cli/crowd.ts';
import { openPlace } from '../cli/imgtool.ts';
import { canTrace, opensToWrite, pathOf, traced } from './tracing.ts';

vi.setConfig({ testTimeout: 300_000 });

it.each([1, 2, 3, 4, 5])(
  'eight processes at the same time render each of the same 200 pictures once (%i)',
  async () => {
    const shares = await assertRenderedOnce(openPlace(), 8, 200);
    console.log(`rendered by each of eight: ${shares.join(' ')}`);
    expect(shares.filter((share) => share > 0).length, 'several processes rendered').toBeGreaterThan(1);
  },
);

it.skipIf(!canTrace)('eight processes at the same time never encode an output twice', async () => {
  const place = openPlace();
  const written: string[] = [];
  await assertRenderedOnce(place, 8, 200, async (args) => {
    const { outcome, calls } = await traced(place, args, 'openat');
    const staged = calls.filter((call) => call.ok && opensToWrite(call)).map(pathOf);
    written.push(...staged.filter((path) => /\/\.imgtool-\w+-\d+\.tmp$/.test(path)));
    return outcome;
  });
  console.log(`staged files written by eight processes for 400 outputs: ${written.length}`);
  expect(written).toHaveLength(400);
});
