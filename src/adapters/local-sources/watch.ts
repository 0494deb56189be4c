import type { Hint, Watcher } from '../../ports.ts';
import { type Folders, openFolders } from './folders.ts';
import type { Root } from './inputs.ts';
import { openRoots, type Roots } from './roots.ts';

/** A watch, with what walks report to it. */
export interface Watch extends Watcher {
  readonly tree: Folders;
  readonly roots: Roots;
}

/** Reports what may have changed in the folders that walks enter, and roots that disappear or come back. */
export function openWatch(
  all: readonly Root[],
  heard: (hint: Hint) => void,
  options: { readonly poll: boolean; readonly isSource: (name: string) => boolean },
): Watch {
  const isRoot = (path: string) => all.some((root) => root.path === path);
  const tree = openFolders((hint) => {
    if (hint.type === 'changed' && isRoot(hint.path)) roots.look();
    heard(hint);
  }, options);
  const roots = openRoots(all, heard, ({ path }) => tree.leave(path));
  return {
    tree,
    roots,
    get folders() {
      return tree.size;
    },
    blind: tree.blind,
    get by() {
      return tree.isBlind ? 'polling' : 'events';
    },
    async close() {
      roots.close();
      await tree.close();
    },
  };
}
