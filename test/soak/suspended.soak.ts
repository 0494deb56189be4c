import { expect, it, vi } from 'vitest';
import { canSeeProcesses } from '../cli/group.ts';
import { openPlace } from '../cli/imgtool.ts';
import { assertUnharmedBy } from '../cli/suspending.ts';

vi.setConfig({ testTimeout: 200_000 });

it.skipIf(!canSeeProcesses)(
  'a batch that is suspended for a minute goes on as if nothing had been',
  async () => {
    expect.hasAssertions();
    await assertUnharmedBy(60_000, openPlace());
  },
);

it.skipIf(!canSeeProcesses)(
  'a batch is suspended for a minute, six times as long as an image may take',
  async () => {
    expect.hasAssertions();
    await assertUnharmedBy(60_000, openPlace(), '--timeout', '10');
  },
);
