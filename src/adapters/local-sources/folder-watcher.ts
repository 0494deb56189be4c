import { basename } from 'node:path';
import { FSWatcher } from 'chokidar';

/**
 * Watches one folder and leaves reading it to the walk. chokidar reads each folder that it watches, again at each
 * change, and stats every file in it. No option turns that off: https://github.com/paulmillr/chokidar/issues/187. So
 * this overrides the method that reads.
 */
export class FolderWatcher extends FSWatcher {
  /** The folder, or something in it with the same name, was made, moved or removed: the watch may be gone with it. */
  mayBeDead = false;

  override _readdirp(): undefined {
    return undefined;
  }
}

/** Resolves once changes are reported, or with the error that the system refused to watch with. */
export async function watchFolder(
  folder: string,
  heard: (event: string, name: string | null) => void,
  failed: (error: unknown) => void,
): Promise<FolderWatcher | Error> {
  const watcher = new FolderWatcher({ depth: 0 });
  watcher.on('raw', (event, name, details) => {
    // For a folder that is gone chokidar watches the one above.
    if ((details as { watchedPath?: string }).watchedPath !== folder) return;
    watcher.mayBeDead ||= event === 'rename' && name === basename(folder);
    heard(event, name);
  });
  const error = await new Promise<Error | undefined>((resolve) => {
    watcher.once('ready', () => resolve(undefined));
    watcher.on('error', (error) => {
      failed(error);
      resolve(error as Error);
    });
    watcher.add(folder);
  });
  if (error === undefined) return watcher;
  await watcher.close();
  return error;
}
