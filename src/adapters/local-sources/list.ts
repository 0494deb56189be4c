import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { noInput, systemCode } from '../../errors.ts';
import type { PathList } from '../../model.ts';
import { didYouMean, type NearPath } from './names.ts';

/** The mark at the beginning of UTF-16, which is not UTF-8. */
const UTF_16 = /^(?:\xff\xfe|\xfe\xff)/;
/** A line end in UTF-16 without that mark. */
const UTF_16_LINE = /\n\0|\0\n/;

/** The paths of a list, as given. Errors: `no_input`, also for a list in another form. */
export async function readList({ from, nul }: PathList, cwd: string, nearPath?: NearPath): Promise<string[]> {
  const name = from === '-' ? 'standard input' : from;
  const bytes = await bytesOf(from, cwd).catch((error: unknown) => {
    const near = systemCode(error) === 'ENOENT' ? didYouMean(from, cwd, nearPath) : undefined;
    throw noInput(`${name}: the list cannot be read`, near ?? 'check the path of the list', error);
  });
  // Some editors put a byte order mark before the first entry.
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '');
  const hasNul = text.includes('\0');
  if (UTF_16.test(bytes.toString('latin1', 0, 2)) || (!nul && UTF_16_LINE.test(text))) {
    const fix = 'save it as UTF-8: iconv -f UTF-16 -t UTF-8, or in PowerShell Out-File -Encoding utf8';
    throw noInput(`${name}: the list is UTF-16, expected UTF-8`, fix);
  }
  if (!nul && hasNul) {
    throw noInput(`${name}: the paths of the list end with NUL, expected one path a line`, 'add -0');
  }
  if (nul && !hasNul && text.includes('\n')) {
    throw noInput(`${name}: the paths of the list end with a newline, expected NUL`, 'leave out -0');
  }
  return text.split(nul ? '\0' : /\r?\n/).filter((entry) => entry !== '');
}

async function bytesOf(from: string, cwd: string): Promise<Buffer> {
  return from === '-' ? buffer(process.stdin) : readFile(resolve(cwd, from));
}
