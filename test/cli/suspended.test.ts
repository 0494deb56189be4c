import { expect, it } from 'vitest';
import { canSeeProcesses } from './group.ts';
import { openPlace } from './imgtool.ts';
import { assertUnharmedBy } from './suspending.ts';

it.skipIf(!canSeeProcesses)(
  'a batch that is suspended for longer than an image may take goes on as if nothing had been',
  async () => {
    expect.hasAssertions();
    await assertUnharmedBy(7_500, openPlace(), '--timeout', '6');
  },
);
