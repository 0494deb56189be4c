import { ImgtoolError } from '../../errors.ts';
import type { Batch } from '../../model.ts';
import type { Index } from '../../ports.ts';

/** Recent batches among which the one that was meant is looked for. */
const RECENT = 100;

/** The batch whose id begins so. Errors: `usage` when nothing is given; `unknown_batch`, which names the `nearest` id where there is one. */
export async function findBatch(
  index: Pick<Index, 'batch' | 'batches'>,
  id: string,
  nearest: (word: string, words: readonly string[]) => string | undefined,
): Promise<Batch> {
  if (id === '') {
    throw new ImgtoolError('usage', 'no batch was named: its id is empty', { fix: 'imgtool list' });
  }
  try {
    return await index.batch(id);
  } catch (error) {
    if (!(error instanceof ImgtoolError) || error.code !== 'unknown_batch') throw error;
    const ids = (await index.batches(RECENT)).map((batch) => batch.id);
    const meant = nearest(id, ids);
    // Where several begin so, one of them is no better a guess than the others.
    if (meant === undefined || ids.some((one) => one.startsWith(id))) throw error;
    throw new ImgtoolError(error.code, error.message, { fix: `did you mean ${meant}? All: imgtool list` });
  }
}
