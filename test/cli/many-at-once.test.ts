import { expect, it } from 'vitest';
import { assertRenderedOnce } from './crowd.ts';
import { openPlace } from './imgtool.ts';

it('of four processes at once over the same pictures and one index each picture is rendered by one', async () => {
  const shares = await assertRenderedOnce(openPlace(), 4, 40);
  expect(shares).toHaveLength(4);
});
