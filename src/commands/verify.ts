import { nearest } from '../config.ts';
import { findBatch } from '../core/batch/find.ts';
import { type Fixing, makeAgain } from '../core/verify/fix.ts';
import { forgetGone, separateGone } from '../core/verify/gone.ts';
import { verify as lookAtAll } from '../core/verify/verify.ts';
import type { Verified } from '../model/verified.ts';

/**
 * `imgtool verify`: whether outputs are there, whole, as recorded and clean, of one batch or all there are; with `fix`
 * what is not is made again, and what is gone with its source forgotten. The exit code is for when nobody stopped it.
 * Errors: `unknown_batch`.
 */
export async function verify(
  ports: Fixing,
  id: string | undefined,
  { fix }: { readonly fix: boolean },
  signal: AbortSignal,
): Promise<{ readonly verified: Verified; readonly exit: number }> {
  const batch = id === undefined ? undefined : await findBatch(ports.index, id, nearest);
  const found = await lookAtAll(ports, batch, signal);
  const { looked, gone, isMendable } = await separateGone(ports, found);
  const verified: Verified = { ...looked, gone: gone.length, isMendable };
  const isWrong = looked.wrong.length > 0;
  if (!fix || signal.aborted) return { verified, exit: isWrong ? 1 : 0 };
  const forgotten = await forgetGone(ports, gone);
  // Whoever names a batch wants its outputs, wherever they were.
  const isAnywhere = batch !== undefined;
  const { remade, madeIn, exit } = await makeAgain(ports, looked.wrong, signal, isAnywhere);
  const isStillWrong = [...remade.values()].some((failure) => failure !== null);
  return { verified: { ...verified, forgotten, remade, madeIn }, exit: exit ?? (isStillWrong ? 1 : 0) };
}
