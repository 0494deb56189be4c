import { lstatSync, readdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { nearest } from '../config.ts';
import { findBatch } from '../core/batch/find.ts';
import { type Fixing, makeAgain } from '../core/verify/fix.ts';
import { type FileProbe, forgetGone, separateGone } from '../core/verify/gone.ts';
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
  const { index, storage } = ports;
  const batch = id === undefined ? undefined : await findBatch(index, id, nearest);
  const { looked, gone, isMendable } = await separateGone(
    index,
    await lookAtAll(ports, batch, signal),
    FILE_PROBE,
  );
  const verified: Verified = { ...looked, gone: gone.length, isMendable };
  const isWrong = looked.wrong.length > 0;
  if (!fix || signal.aborted) return { verified, exit: isWrong ? 1 : 0 };
  const forgotten = await forgetGone(index, storage, gone, FILE_PROBE);
  // Whoever names a batch wants its outputs, wherever they were.
  const lackOf = batch === undefined ? FILE_PROBE.lackOf : undefined;
  const { remade, madeIn, exit } = await makeAgain(ports, looked.wrong, signal, lackOf);
  const isStillWrong = [...remade.values()].some((failure) => failure !== null);
  return { verified: { ...verified, forgotten, remade, madeIn }, exit: exit ?? (isStillWrong ? 1 : 0) };
}

const FILE_PROBE: FileProbe = {
  isThere: (source) => !isNothing(source),
  // A mount point without its disk is an empty folder.
  isGone: (source) => isNothing(source) && lackOf(folderAbove(source)) === undefined,
  kindOf,
  lackOf,
};

function isNothing(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) === undefined;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOTDIR';
  }
}

/** The nearest folder above that is there. */
function folderAbove(path: string): string {
  const above = dirname(path);
  if (above === path) return path;
  return statSync(above, { throwIfNoEntry: false })?.isDirectory() ? above : folderAbove(above);
}

function kindOf(path: string): string {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory()) return 'a folder';
  if (found?.isSymbolicLink()) return 'a link';
  if (found?.isFIFO()) return 'a pipe';
  return found?.isSocket() ? 'a socket' : 'a device';
}

function lackOf(folder: string): string | undefined {
  if (isNothing(folder)) return 'is not there';
  try {
    return readdirSync(folder).length === 0 ? 'is empty' : undefined;
  } catch {
    return undefined;
  }
}
