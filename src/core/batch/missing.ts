import type { Warning } from '../../model.ts';
import type { Sources } from '../../ports.ts';

/** Number of missing sources that a warning names. */
const NAMED = 10;

/** What to do about missing sources. */
export const MISSING = 'mount or name the right folder; if they are really gone: {{mirror all}}';

/** The warning of a mirror that removes nothing, because more than half of the known sources of a folder are missing. */
export function tooManyGone(
  sources: Sources,
  folder: string,
  gone: readonly string[],
  known: number,
): Warning | undefined {
  // An unmounted disk is more likely than so many deleted pictures.
  if (2 * gone.length <= known) return undefined;
  const all = `${gone.length} of the ${known} pictures known from before are not there`;
  const missing = known === 1 ? 'the only picture known from before is not there' : all;
  const message = `${missing}, so no output is removed: ${named(sources, gone)}`;
  return { type: 'warning', message: `${sources.givenOf(folder)}: ${message}`, fix: MISSING };
}

/** The first paths of a list, and the number of the others. */
export function named({ givenOf }: Pick<Sources, 'givenOf'>, paths: readonly string[]): string {
  const more = paths.length > NAMED ? ` and ${paths.length - NAMED} more` : '';
  return paths.slice(0, NAMED).map(givenOf).join(', ') + more;
}
