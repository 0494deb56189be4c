import type { Verified } from '../../model/verified.ts';
import type { Batch, BatchFinished } from '../../model.ts';
import { type Fixing, makeAgain } from './fix.ts';
import { forgetGone, separateGone } from './gone.ts';
import { verify } from './verify.ts';

/**
 * Checks the outputs of a batch, or all outputs. With `fix` it makes wrong outputs again, and forgets outputs that are
 * gone together with their sources. `unfinished` is a batch that stopped before it had made all its outputs again.
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
  // When the user names a batch, its outputs are made again in any folder.
  const isAnywhere = batch !== undefined;
  const { remade, madeIn, unfinished } = await makeAgain(ports, looked.wrong, signal, isAnywhere);
  return { verified: { ...verified, forgotten, remade, madeIn }, unfinished };
}
