import { expect, it, vi } from 'vitest';
import { canSeeProcesses } from '../cli/group.ts';
import { openPlace } from '../cli/imgtool.ts';
import { assertUnharmedBy } from '../cli/suspending.ts';

vi.setConfig({ testTimeout: 200_000 });

it.skipIf(!canSeeProcesses)(
  'a batch that is suspended for a minute continues as if it had never been suspended',
  async () => {
    expect.hasAssertions();
    await assertUnharmedBy(60_000, openPlace());
  },
);

it.skipIf(!canSeeProcesses)(
  'a batch continues after a suspension of one minute, six times the timeout',
  async () => {
    expect.hasAssertions();
    await assertUnharmedBy(60_000, openPlace(), '--timeout', '10');
  },
);
