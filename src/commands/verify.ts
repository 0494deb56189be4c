import { nearest } from '../config.ts';
import { findBatch } from '../core/find.ts';
import { verify as lookAtAll } from '../core/verify.ts';
import { type Fixing, makeAgain } from '../core/verify-fix.ts';
import type { Verified } from '../model/verified.ts';

/**
 * `imgtool verify`: whether outputs are there, whole, as recorded and clean, of one batch or all there are; with `fix`
 * what is not is made again. The exit code is for when nobody stopped it. Errors: `unknown_batch`.
 */
export async function verify(
  ports: Fixing,
  id: string | undefined,
  { fix }: { readonly fix: boolean },
  signal: AbortSignal,
): Promise<{ readonly verified: Verified; readonly exit: number }> {
  const batch = id === undefined ? undefined : await findBatch(ports.index, id, nearest);
  const verified = await lookAtAll(ports, batch, signal);
  const isWrong = verified.wrong.length > 0;
  if (!fix || signal.aborted) return { verified, exit: isWrong ? 1 : 0 };
  const { remade, exit } = await makeAgain(ports, verified.wrong, signal);
  const isStillWrong = [...remade.values()].some((failure) => failure !== null);
  return { verified: { ...verified, remade }, exit: exit ?? (isStillWrong ? 1 : 0) };
}
