import { execFile } from 'node:child_process';
import { Refusal } from './problem.ts';

/** Milliseconds for one file. */
const LONGEST = 60_000;
/** The exit code that refuses a file. clamdscan has the same. */
const REFUSED = 1;

/** Gives a file to a program. Errors: `scan_refused`, `unavailable` where the program itself fails. */
export function scanFile([program = '', ...args]: readonly string[], path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(program, [...args, path], { timeout: LONGEST, killSignal: 'SIGKILL' }, (error) => {
      if (error === null) resolve();
      else if (error.code === REFUSED)
        reject(new Refusal('scan_refused', 'the file is refused by the scanner'));
      else reject(new Refusal('unavailable', 'the file could not be scanned', { cause: error }));
    });
  });
}
