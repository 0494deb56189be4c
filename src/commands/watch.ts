import type { Config } from '../config.ts';
import { profiled } from '../core/batch/means.ts';
import type { NewWork, Ports } from '../core/batch/run.ts';
import { runWatch } from '../core/watch/watch.ts';
import { ImgtoolError } from '../errors.ts';
import type { Event, WatchOptions } from '../model.ts';
import type { Inputs } from '../ports.ts';

/** `imgtool watch`: what is in folders and what lands there, until it is stopped; the exit code. `profile` as for `process`. */
export async function watch(
  ports: Ports,
  work: NewWork,
  options: WatchOptions,
  emit: (event: Event) => void,
  signal: AbortSignal,
  profile = false,
): Promise<number> {
  const means = await profiled({ ports, emit }, profile);
  const { exit } = await runWatch(means.ports, work, options, means.emit, signal);
  return exit;
}

/** Folders that are to be watched, as inputs. Errors: `usage` when there are none, and for a dry run. */
export function foldersOf(paths: readonly string[], { cwd, dryRun }: Config): Inputs {
  if (paths.length === 0) {
    throw new ImgtoolError('usage', 'nothing to watch: no folder was named', { fix: 'imgtool watch <dir…>' });
  }
  if (dryRun) {
    throw new ImgtoolError('usage', '--dry-run: a watch has nothing to foresee', {
      fix: 'imgtool process --dry-run shows what would be made of what is there now',
    });
  }
  return { paths, list: null, cwd, onlyFolders: true };
}
