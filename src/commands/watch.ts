import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Config } from '../config.ts';
import type { NewWork, Ports } from '../core/batch.ts';
import { runWatch } from '../core/watch.ts';
import { ImgtoolError } from '../errors.ts';
import type { Event, WatchOptions } from '../model.ts';

/** `imgtool watch`: what is in folders and what lands there, until it is stopped; the exit code. */
export async function watch(
  ports: Ports,
  work: NewWork,
  options: WatchOptions,
  emit: (event: Event) => void,
  signal: AbortSignal,
): Promise<number> {
  const { exit } = await runWatch(ports, work, options, emit, signal);
  return exit;
}

/** Errors: `usage` for what cannot be watched, and for a dry run; `no_input` for a folder that is not there. */
export function checkFolders(paths: readonly string[], { cwd, dryRun }: Config): void {
  if (paths.length === 0) {
    throw new ImgtoolError('usage', 'nothing to watch: no folder was named', { fix: 'imgtool watch <dir…>' });
  }
  if (dryRun) {
    throw new ImgtoolError('usage', '--dry-run: a watch has nothing to foresee', {
      fix: 'imgtool process --dry-run shows what would be made of what is there now',
    });
  }
  for (const path of paths) {
    const found = statSync(resolve(cwd, path), { throwIfNoEntry: false });
    if (found === undefined) {
      throw new ImgtoolError('no_input', `${path}: is not there`, {
        fix: 'check the path; nothing is watched',
      });
    }
    if (!found.isDirectory()) {
      throw new ImgtoolError('usage', `${path}: is a file, and only folders are watched`, {
        fix: 'name its folder, with --include for that file alone',
      });
    }
  }
}
