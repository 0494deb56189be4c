import { expect, it } from 'vitest';
import { canSeeProcesses } from './group.ts';
import { openPlace } from './imgtool.ts';
import { assertUnharmedBy } from './suspending.ts';

it.skipIf(!canSeeProcesses)(
  'a batch that is suspended for longer than the timeout continues as if it had never been suspended',
  async () => {
    expect.hasAssertions();
    await assertUnharmedBy(7_500, openPlace(), '--timeout', '6');
  },
);
