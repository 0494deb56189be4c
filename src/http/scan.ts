import { execFile } from 'node:child_process';
import { failureOf } from '../errors.ts';
import type { UploadedFile } from '../serve/accept.ts';
import type { Site } from './options.ts';
import { Refusal } from './problem.ts';

/** The exit code that refuses a file. clamdscan has the same. */
const REFUSED = 1;

/**
 * Gives the files of a request to a program, one after the other. In a batch, a file that it refuses is a failed image.
 * `gone` rejects when nobody waits any more. Errors: `scan_refused`, `unavailable` where the program itself fails.
 */
export async function scanFiles(
  files: readonly UploadedFile[],
  { options, limits }: Site,
  isBatch: boolean,
  gone: Promise<never>,
): Promise<readonly UploadedFile[]> {
  const { scan } = options.uploads;
  if (scan === null) return files;
  const stop = new AbortController();
  gone.catch(() => stop.abort());
  const late = AbortSignal.timeout(limits.scanTimeout);
  const ends = AbortSignal.any([stop.signal, late]);
  const scanned: UploadedFile[] = [];
  for (const file of files) {
    const error = await Promise.race([file.staged && scanFile(scan, file.staged.path, ends), gone]);
    if (late.aborted) throw new Refusal('unavailable', 'the scanner needed too long for the files');
    if (error !== null && !(isBatch && error.code === 'scan_refused')) throw error;
    if (error !== null) await file.staged?.discard();
    scanned.push(error === null ? file : { ...file, staged: null, facts: null, error: failureOf(error) });
  }
  return scanned;
}

function scanFile([program = '', ...args]: readonly string[], path: string, signal: AbortSignal) {
  return new Promise<Refusal | null>((resolve) => {
    execFile(program, [...args, path], { signal, killSignal: 'SIGKILL' }, (error) => {
      if (error === null) resolve(null);
      else if (error.code === REFUSED)
        resolve(new Refusal('scan_refused', 'the file is refused by the scanner'));
      else resolve(new Refusal('unavailable', 'the file could not be scanned', { cause: error }));
    });
  });
}
