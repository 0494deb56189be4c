import { ImgtoolError } from '../../errors.ts';
import type { Batch } from '../../model.ts';
import type { Index } from '../../ports.ts';

/** The word of `words` that is nearest to `word`; undefined when none is near. */
export type Nearest = (word: string, words: readonly string[]) => string | undefined;

/** Stands for the batch that was started last. No id has these letters. */
const LAST = 'last';

/** Number of recent batches to search for a similar id, or for a batch that fits. */
const RECENT = 100;

/**
 * The batch whose id begins with these digits; for `last`, the newest batch. Errors: `usage` when none is given;
 * `unknown_batch`, with the nearest id.
 */
export async function findBatch(index: Pick<Index, 'batch' | 'batches'>, id: string, nearest: Nearest) {
  if (id === '') {
    throw new ImgtoolError('usage', 'no batch was named: its id is empty', { fix: '{{command list}}' });
  }
  if (id === LAST) {
    const [newest] = await index.batches(1);
    if (newest !== undefined) return newest;
    throw new ImgtoolError('unknown_batch', 'there is no batch yet', { fix: '{{command process <path…>}}' });
  }
  try {
    return await index.batch(id);
  } catch (error) {
    if (!(error instanceof ImgtoolError) || error.code !== 'unknown_batch') throw error;
    const ids = (await index.batches(RECENT)).map((batch) => batch.id);
    const meant = nearest(id, [...ids, LAST]);
    // When several ids begin like this, none is a better guess than the others.
    if (meant === undefined || ids.some((one) => one.startsWith(id))) throw error;
    throw new ImgtoolError(error.code, error.message, {
      fix: `did you mean ${meant}? All: {{command list}}`,
    });
  }
}

/** Which batches each command can work on. */
const SUITABLE = {
  cancel: ({ state }: Batch) => state === 'running',
  resume: ({ state, command }: Batch) =>
    command === 'process' && (state === 'cancelled' || state === 'interrupted'),
  retry: ({ state, counts }: Batch) => state !== 'running' && counts.failed > 0,
} as const;

/** When `last` names a batch that does not fit the command: the newest batch that does, if there is one. */
export async function otherThanLast(
  index: Pick<Index, 'batches'>,
  id: string,
  command: keyof typeof SUITABLE,
) {
  return id === LAST ? (await index.batches(RECENT)).find(SUITABLE[command]) : undefined;
}
