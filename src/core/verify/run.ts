import type { Verified } from '../../model/verified.ts';
import type { Batch, BatchFinished } from '../../model.ts';
import { type Fixing, makeAgain } from './fix.ts';
import { forgetGone, separateGone } from './gone.ts';
import { verify } from './verify.ts';

/**
 * Looks at the outputs of a batch, or at all outputs. With `fix` it makes wrong outputs again, and forgets those that are
 * gone with their sources. `unfinished` is a batch that made outputs again and did not come to its end.
 */
export async function checkOutputs(
  ports: Fixing,
  { batch, fix }: { readonly batch: Batch | undefined; readonly fix: boolean },
  signal: AbortSignal,
): Promise<{ readonly verified: Verified; readonly unfinished: BatchFinished | undefined }> {
  const { looked, gone, isMendable } = await separateGone(ports, await verify(ports, batch, signal));
  const verified: Verified = { ...looked, gone: gone.length, isMendable };
  if (!fix || signal.aborted) return { verified, unfinished: undefined };
  const forgotten = await forgetGone(ports, gone);
  // A batch that was named gets its outputs again, wherever they were.
  const isAnywhere = batch !== undefined;
  const { remade, madeIn, unfinished } = await makeAgain(ports, looked.wrong, signal, isAnywhere);
  return { verified: { ...verified, forgotten, remade, madeIn }, unfinished };
}
