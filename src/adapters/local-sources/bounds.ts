import { dirname } from 'node:path';
import type { Bounds } from '../../model.ts';
import { isLinkAt, isWithin, resolved } from './files.ts';
import type { Input, Root } from './inputs.ts';

/** What the user named, and what it allows to read. */
interface Trusted {
  readonly inputs: readonly Input[];
  readonly followSymlinks: boolean;
  /** Whether a list named files too. The list may no longer be readable. */
  readonly isListed: boolean;
}

export interface SourceBounds {
  /** Where the file at a path must be. Null when the user named the file itself. */
  of(path: string): Bounds | null;
  /** Whether a link at this path is followed. */
  follows(path: string): boolean;
}

export function openBounds({ inputs, followSymlinks, isListed }: Trusted): SourceBounds {
  const named = new Set(inputs.flatMap((input) => (input.kind === 'named' ? [input.path] : [])));
  const roots = inputs.filter((input) => input.kind === 'root');
  const holding = (path: string) => roots.filter((root) => isWithin(path, root.path));
  // A file outside all folders was named by the list. Without a list nobody named it.
  const isNamed = (path: string) => named.has(path) || (isListed && holding(path).length === 0);
  return {
    of(path) {
      if (isNamed(path)) return null;
      const within = holding(path).map(realNow);
      if (within.length > 0) return { within, follow: followSymlinks };
      return { within: [dirname(path)], follow: false };
    },
    follows: (path) => isNamed(path) || (followSymlinks && holding(path).length > 0),
  };
}

/** Where a root leads now. A root that was no link, and was not behind one, always leads to itself. */
export function realNow(root: Root): string {
  return root.real === root.path || hasBecomeLink(root) ? root.real : resolved(root.path);
}

/** Whether a link has replaced a named folder, or one above it. */
export function hasBecomeLink({ path, real, isLink }: Root): boolean {
  return real === path ? resolved(path) !== path : !isLink && isLinkAt(path);
}
