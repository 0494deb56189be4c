import { ImgtoolError } from '../../errors.ts';
import type { Index } from '../../ports.ts';

/** The word of `words` that is nearest to `word`; undefined when none is near. */
export type Nearest = (word: string, words: readonly string[]) => string | undefined;

/** Number of recent batches to search for a similar id. */
const RECENT = 100;

/** The batch whose id begins with these digits. Errors: `usage` when none is given; `unknown_batch`, with the nearest id. */
export async function findBatch(index: Pick<Index, 'batch' | 'batches'>, id: string, nearest: Nearest) {
  if (id === '') {
    throw new ImgtoolError('usage', 'no batch was named: its id is empty', { fix: 'imgtool list' });
  }
  try {
    return await index.batch(id);
  } catch (error) {
    if (!(error instanceof ImgtoolError) || error.code !== 'unknown_batch') throw error;
    const ids = (await index.batches(RECENT)).map((batch) => batch.id);
    const meant = nearest(id, ids);
    // When several ids begin like this, none is a better guess than the others.
    if (meant === undefined || ids.some((one) => one.startsWith(id))) throw error;
    throw new ImgtoolError(error.code, error.message, { fix: `did you mean ${meant}? All: imgtool list` });
  }
}
