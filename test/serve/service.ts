import { batchOptions } from '../records.ts';

const DAY = 86_400_000;

/** What tests of a whole service open it with. */
export const serviceOptions = () => ({
  options: batchOptions(),
  keep: { failed: 7 * DAY, orphans: DAY },
  emit: () => {},
});
