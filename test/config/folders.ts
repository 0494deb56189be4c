import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import { type Config, type Flags, loadConfig } from '../../src/config.ts';
import { ImgtoolError } from '../../src/errors.ts';

const root = realpathSync(mkdtempSync(join(tmpdir(), 'imgtool-config-')));
afterAll(() => rmSync(root, { recursive: true, force: true }));

export interface Person {
  readonly home: string;
  readonly cwd: string;
  /** Writes a file below home. */
  write(path: string, text: string): string;
  load(flags?: Flags, env?: NodeJS.ProcessEnv): Promise<Config>;
}

/** Somebody with an empty home, working in `home/work`. */
export function person(): Person {
  const home = mkdtempSync(join(root, 'home-'));
  const cwd = join(home, 'work');
  mkdirSync(cwd);
  return {
    home,
    cwd,
    write(path, text) {
      const full = join(home, path);
      mkdirSync(dirname(full), { recursive: true });
      writeFileSync(full, text);
      return full;
    },
    load: (flags = {}, env = {}) => loadConfig({ flags, cwd, env, home }),
  };
}

/** The error of something that must fail. */
export async function failure(attempt: () => unknown): Promise<ImgtoolError> {
  try {
    await attempt();
  } catch (error) {
    if (error instanceof ImgtoolError) return error;
    throw error;
  }
  throw new Error('expected an error, got none');
}
