import { basename } from 'node:path';
import { FSWatcher } from 'chokidar';
import { systemCode } from '../../errors.ts';
import { NOT_OURS } from './folders.ts';

/**
 * A watcher of one folder that leaves reading it to the walk. chokidar by itself would read each folder that it watches
 * and again at each change in it, with a stat of every file.
 */
export class FolderWatcher extends FSWatcher {
  /** The folder, or something in it of the same name, was made, moved or removed: the watch may have gone with it. */
  mayBeDead = false;

  override _readdirp(): undefined {
    return undefined;
  }
}

/** Resolves once changes are heard; `closed`: it may not be read, so that nothing in it is ours; or they are not told. */
export async function watchFolder(
  folder: string,
  heard: (event: string, name: string | null) => void,
  failed: (folder: string, error: unknown) => void,
): Promise<FolderWatcher | 'closed' | 'blind'> {
  const watcher = new FolderWatcher({ depth: 0 });
  let isClosed = false;
  let isFine = true;
  watcher.on('raw', (event, name, details) => {
    // For a folder that is gone chokidar waits in the one above: not ours to tell.
    if ((details as { watchedPath?: string }).watchedPath !== folder) return;
    watcher.mayBeDead ||= event === 'rename' && name === basename(folder);
    heard(event, name);
  });
  await new Promise<void>((resolve) => {
    watcher.once('ready', resolve);
    watcher.on('error', (error) => {
      isFine = false;
      isClosed = NOT_OURS.has(systemCode(error) ?? '');
      if (!isClosed) failed(folder, error);
      resolve();
    });
    watcher.add(folder);
  });
  if (isFine) return watcher;
  await watcher.close();
  return isClosed ? 'closed' : 'blind';
}
