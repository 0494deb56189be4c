import { dirname } from 'node:path';
import type { Bounds } from '../../model.ts';
import { type Input, isLinkAt, isWithin, type Root, resolved } from './inputs.ts';

/** What the user named, as far as it says where a source must lie to be read. */
interface Trusted {
  readonly inputs: readonly Input[];
  readonly followSymlinks: boolean;
  /** Whether a list named files, too; it may be one that cannot be read again. */
  readonly isListed: boolean;
}

/** Answers where the file at a path must lie; null when the user named the file itself. */
export function openBounds({ inputs, followSymlinks, isListed }: Trusted): (path: string) => Bounds | null {
  const named = new Set(inputs.flatMap((input) => (input.kind === 'named' ? [input.path] : [])));
  const roots = inputs.filter((input) => input.kind === 'root');
  return (path) => {
    if (named.has(path)) return null;
    const holding = roots.filter((root) => isWithin(path, root.path));
    if (holding.length > 0) return { within: holding.map(realNow), follow: followSymlinks };
    // What no folder holds was named by the list; without a list nobody vouches for it.
    return isListed ? null : { within: [dirname(path)], follow: false };
  };
}

/** Where a root leads now. Only one that was a link when it was named, or lay behind one, may lead elsewhere. */
export function realNow(root: Root): string {
  return root.real === root.path || hasBecomeLink(root) ? root.real : resolved(root.path);
}

/** Whether a link has taken the place of a folder that was named. */
export function hasBecomeLink({ path, isLink }: Root): boolean {
  return !isLink && isLinkAt(path);
}
