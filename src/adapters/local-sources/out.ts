import { dirname, relative } from 'node:path';
import { ImgtoolError } from '../../errors.ts';
import type { WalkRules } from '../../model.ts';
import { identityOf, isWithin, resolved } from './files.ts';
import type { Input, Root } from './inputs.ts';
import type { MatchingRules } from './patterns.ts';
import type { Rules } from './walk.ts';

/** The output folder at one moment. */
export interface Out {
  /** Absolute. */
  readonly path: string;
  /** Absolute, with links resolved in the part that exists. */
  readonly real: string;
  readonly identity: string | undefined;
  /** Whether a walk passes over the folder. Otherwise only the index distinguishes outputs from sources. */
  readonly isPassedOver: boolean;
}

export function lookAtOut({ out: path }: WalkRules, all: readonly Input[]): Out {
  const real = resolved(path);
  return { path, real, identity: identityOf(path), isPassedOver: !liesAmong(all, real) };
}

export function rulesWith(rules: MatchingRules, { real: out, identity, isPassedOver }: Out): Rules {
  const isOut = (real: string) =>
    isPassedOver && (real === out || (identity !== undefined && identityOf(real) === identity));
  return { ...rules, isOut };
}

/**
 * When outputs are among the sources, the index knows them by their paths. A walk must not meet one under another path
 * (by a link or a bind mount): it would take the output for a source. Errors: `usage`.
 */
export function refuseOtherName(roots: readonly Root[], out: Out): void {
  for (const { given, path, real } of roots) {
    const isOther = isWithin(real, out.real)
      ? relative(out.path, path) !== relative(out.real, real)
      : out.identity !== undefined && identityOf(real) === out.identity;
    if (!isOther) continue;
    throw new ImgtoolError('usage', `the output folder ${out.path} is or holds ${given} under another path`, {
      fix: 'name both by the same path, or choose another {{out}}',
    });
  }
}

/**
 * Whether outputs are among the sources, so that their place does not distinguish them: the output folder is or
 * contains a named folder, or contains all named files.
 */
function liesAmong(all: readonly Input[], realOut: string): boolean {
  const roots = all.filter(({ kind }) => kind === 'root');
  if (roots.length > 0) return roots.some(({ real }) => isWithin(real, realOut));
  return all.length > 0 && all.every(({ real }) => isWithin(dirname(real), realOut));
}
