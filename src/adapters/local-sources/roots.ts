import { statSync } from 'node:fs';
import type { Hint } from '../../ports.ts';
import { identityOf } from './files.ts';
import type { Root } from './inputs.ts';

/** Milliseconds between checks whether the named folders are still there: no system reports a new mount. */
const LOOK_EVERY = 2_000;

/** The named folders, and whether each one is still the same folder. */
export interface Roots {
  /** Whether this root is there and the same folder as before. */
  isThere(root: Root): boolean;
  /** Checks again. Call it when something about a root has changed. */
  look(): void;
  close(): void;
}

/** Calls `changed` when a root disappears, comes back or is another folder. */
export function openRoots(
  roots: readonly Root[],
  heard: (hint: Hint) => void,
  changed: (root: Root) => void,
): Roots {
  const identities = new Map(roots.map((root) => [root, folderAt(root)]));

  const look = (): void => {
    for (const root of roots) {
      const before = identities.get(root);
      const now = folderAt(root);
      if (now === before) continue;
      identities.set(root, now);
      changed(root);
      heard({ type: 'warning', ...tidings(root, before, now) });
      heard({ type: 'replaced', folder: root.path });
    }
  };

  const timer = setInterval(look, LOOK_EVERY);
  return {
    isThere: (root) => identities.get(root) !== undefined && identities.get(root) === folderAt(root),
    look,
    close: () => clearInterval(timer),
  };
}

/** Identity of a root. Undefined when it is no folder. */
function folderAt({ path }: Root): string | undefined {
  try {
    return statSync(path).isDirectory() ? identityOf(path) : undefined;
  } catch {
    return undefined;
  }
}

function tidings({ given }: Root, before: string | undefined, now: string | undefined) {
  if (now === undefined) {
    return {
      message: `${given}: is not there any more; waiting for it to come back`,
      fix: 'bring it back, or stop the watch',
    };
  }
  return { message: `${given}: ${before === undefined ? 'is there again' : 'is another folder now'}` };
}
