import { ImgtoolError } from '../errors.ts';
import type { Batch } from '../model.ts';
import type { Index } from '../ports.ts';

/** `imgtool list`: recent batches, newest first. Errors: `usage`. */
export async function list(
  index: Pick<Index, 'batches'>,
  limit: string,
  show: (batches: readonly Batch[], limit: number) => Promise<void>,
): Promise<void> {
  const most = Number(limit);
  if (!Number.isInteger(most) || most < 1) {
    throw new ImgtoolError('usage', `--limit: expected a whole number from 1, got "${limit}"`);
  }
  await show(await index.batches(most), most);
}
