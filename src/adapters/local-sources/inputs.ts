import { realpathSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import picomatch from 'picomatch';
import { ImgtoolError, systemCode } from '../../errors.ts';
import type { Inputs } from '../../ports.ts';

/** An input as it was found before anything ran. */
export type Input = Root | Named;

/** A folder to walk; for a quoted glob, its fixed part, and whether a root-relative path matches. */
export interface Root {
  readonly kind: 'root';
  readonly given: string;
  /** Absolute. */
  readonly path: string;
  /** Absolute, links resolved. */
  readonly real: string;
  readonly matches?: (relative: string) => boolean;
}

export interface Named {
  readonly kind: 'named';
  readonly given: string;
  readonly path: string;
  readonly real: string;
  /** From a list: there need not be anything, and a folder is no folder to walk. */
  readonly listed: boolean;
}

/** Resolves what was named. Errors: `no_input`. */
export async function resolveInputs({ paths, list, cwd }: Inputs): Promise<Input[]> {
  const listed = list === null ? [] : await readList(list.from, list.nul, cwd);
  return [
    ...paths.map((given) => inputOf(given, cwd)),
    ...listed.map((given) => named(given, resolve(cwd, given), true)),
  ];
}

function inputOf(given: string, cwd: string): Input {
  const path = resolve(cwd, given);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory()) return { kind: 'root', given, path, real: realpathSync(path) };
  if (found !== undefined) return named(given, path, false);
  const { base, glob, isGlob } = picomatch.scan(given.split(sep).join('/'));
  const root = resolve(cwd, base);
  if (!isGlob || !statSync(root, { throwIfNoEntry: false })?.isDirectory()) {
    throw new ImgtoolError('no_input', `${given}: is not there`, { fix: 'check the path; nothing was done' });
  }
  return { kind: 'root', given: base || '.', path: root, real: realpathSync(root), matches: picomatch(glob) };
}

function named(given: string, path: string, listed: boolean): Named {
  return { kind: 'named', given, path, real: resolved(path), listed };
}

/** A path with the links of the part that exists resolved. */
export function resolved(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    const above = dirname(path);
    if (above === path || systemCode(error) === 'ELOOP') return path;
    return join(resolved(above), basename(path));
  }
}

async function readList(from: string, nul: boolean, cwd: string): Promise<string[]> {
  try {
    const bytes = from === '-' ? await readAll(process.stdin) : await readFile(resolve(cwd, from));
    const entries = bytes.toString('utf8').split(nul ? '\0' : /\r?\n/);
    return entries.filter((entry) => entry !== '');
  } catch (error) {
    throw new ImgtoolError(
      'no_input',
      `${from}: the list cannot be read (${systemCode(error) ?? String(error)})`,
      {
        fix: 'check the path given to --files-from; nothing was done',
        cause: error,
      },
    );
  }
}

async function readAll(stream: AsyncIterable<Buffer | string>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}
