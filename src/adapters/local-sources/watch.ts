import type { Hint } from '../../ports.ts';
import { isFolderAt } from '../file-systems.ts';
import { identityOf } from './files.ts';
import { type FolderOptions, openFolders } from './folders.ts';
import type { Root } from './inputs.ts';

/** Milliseconds between checks whether the named folders are still there: no system reports a new mount. */
const LOOK_EVERY = 2_000;

/** A watch, with what walks report to it. */
export type Watch = ReturnType<typeof openWatch>;

/** Reports what may have changed in the folders that walks enter, and roots that disappear or come back. */
export function openWatch(roots: readonly Root[], heard: (hint: Hint) => void, options: FolderOptions) {
  const identities = new Map(roots.map((root) => [root, identityNow(root)]));
  const tree = openFolders((hint) => {
    if (hint.type === 'changed' && roots.some(({ path }) => path === hint.path)) look();
    heard(hint);
  }, options);
  const timer = setInterval(look, LOOK_EVERY);

  function look(): void {
    for (const root of roots) {
      const before = identities.get(root);
      const now = identityNow(root);
      if (now === before) continue;
      identities.set(root, now);
      tree.leave(root.path);
      heard(changeOf(root, before, now));
      heard({ type: 'replaced', folder: root.path });
    }
  }

  return {
    tree,
    /** Whether this root is there and the same folder as before. */
    isThere: (root: Root) => identities.get(root) !== undefined && identities.get(root) === identityNow(root),
    get folders() {
      return tree.size;
    },
    blind: tree.blind,
    get by() {
      return tree.isBlind ? ('polling' as const) : ('events' as const);
    },
    async close() {
      clearInterval(timer);
      await tree.close();
    },
  };
}

/** Identity of a root. Undefined when it is no folder. */
function identityNow({ path }: Root): string | undefined {
  return isFolderAt(path) ? identityOf(path) : undefined;
}

function changeOf({ given }: Root, before: string | undefined, now: string | undefined): Hint {
  const warning = (what: string) => ({ type: 'warning' as const, message: `${given}: ${what}` });
  if (now !== undefined) return warning(before === undefined ? 'is there again' : 'is another folder now');
  const gone = warning('is not there any more; waiting for it to come back');
  return { ...gone, fix: 'bring it back, or stop the watch' };
}
