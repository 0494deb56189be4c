import { expect, it } from 'vitest';
import { assertRenderedOnce } from './crowd.ts';
import { openPlace } from './imgtool.ts';

it('four processes at the same time on the same pictures and one index render each picture once', async () => {
  const shares = await assertRenderedOnce(openPlace(), 4, 40);
  expect(shares).toHaveLength(4);
});
