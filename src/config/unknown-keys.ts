import type { Warning } from '../model.ts';
import { envName, KEYS } from './keys.ts';
import { nearest } from './nearest.ts';

/** IMGTOOL_ variables nobody reads. They may be somebody else's, so they are no errors. */
export function strangeVariables(env: NodeJS.ProcessEnv): readonly Warning[] {
  const known = [...KEYS.map(envName), 'IMGTOOL_CONFIG', 'IMGTOOL_NO_CONFIG'];
  return Object.keys(env)
    .filter((name) => name.startsWith('IMGTOOL_') && !known.includes(name))
    .map((name) => warning(name, meant(name, known)));
}

function warning(name: string, near: string | undefined): Warning {
  const hint = near === undefined ? '' : ` (did you mean "${near}"?)`;
  return { type: 'warning', message: `${name}: no setting of this name, ignored${hint}` };
}

/** The nearest by what follows the common beginning, which would make all of them alike. */
function meant(name: string, known: readonly string[]): string | undefined {
  const rest = (word: string) => word.slice('IMGTOOL_'.length);
  const near = nearest(rest(name), known.map(rest));
  return near === undefined ? undefined : `IMGTOOL_${near}`;
}
