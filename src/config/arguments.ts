import { ImgtoolError } from '../errors.ts';
import { checkKnown, type Place, wrong } from '../variants/place.ts';

/** Checks of what a program passes to the library. A settings file has its own checks. */

interface ArgumentKind {
  readonly expected: string;
  is(value: unknown): boolean;
}

const isText = (value: unknown): boolean => typeof value === 'string';
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);

const TEXT: ArgumentKind = { expected: 'a text', is: isText };
const TEXTS: ArgumentKind = { expected: 'a list of paths', is: isTexts };
const PATHS: ArgumentKind = {
  expected: 'a path or a list of paths',
  is: (value) => isText(value) || isTexts(value),
};
const BATCH: ArgumentKind = { expected: 'the id of a batch, or last', is: isText };
const LIMIT: ArgumentKind = {
  expected: 'a whole number from 1',
  is: (value) => value === undefined || (Number.isSafeInteger(value) && Number(value) >= 1),
};
const YES_NO: ArgumentKind = { expected: 'true or false', is: (value) => typeof value === 'boolean' };
const SIGNAL: ArgumentKind = { expected: 'an AbortSignal', is: (value) => value instanceof AbortSignal };

/** Options by their names. With `settings`, there are others, which are settings. */
interface Options {
  readonly options: Readonly<Record<string, ArgumentKind>>;
  readonly settings?: true;
}

const SETTINGS_OF_BATCH: Options = { options: { signal: SIGNAL }, settings: true };
const SETTINGS_OF_ENGINE: Options = { options: { cwd: TEXT }, settings: true };

/** The arguments of each function, and an example. */
const CALLS = {
  openEngine: { example: "openEngine({ index: 'imgtool.db' })", takes: [SETTINGS_OF_ENGINE] },
  processImages: {
    example: "processImages('photos', { out: 'out' })",
    takes: [PATHS, { options: { signal: SIGNAL, cwd: TEXT }, settings: true }],
  },
  process: { example: "process('photos', { out: 'out' })", takes: [PATHS, SETTINGS_OF_BATCH] },
  watch: { example: "watch('photos', { out: 'out' })", takes: [PATHS, SETTINGS_OF_BATCH] },
  status: { example: "status('last')", takes: [BATCH] },
  list: { example: 'list(50)', takes: [LIMIT] },
  cancel: { example: "cancel('last')", takes: [BATCH] },
  verify: {
    example: "verify({ paths: ['out'], fix: true })",
    takes: [{ options: { batch: BATCH, paths: TEXTS, fix: YES_NO, keepEdited: YES_NO, signal: SIGNAL } }],
  },
  forget: {
    example: "forget(['photos/a.jpg'], { dryRun: true })",
    takes: [PATHS, { options: { dryRun: YES_NO } }],
  },
} as const satisfies Record<string, { example: string; takes: readonly (ArgumentKind | Options)[] }>;

/** Checks the arguments of one call of the library. Errors: `usage`, with an example. */
export function checkCall(name: keyof typeof CALLS, ...given: readonly unknown[]): void {
  const { example, takes } = CALLS[name];
  const place: Place = { code: 'usage', text: name };
  const fix = `for example ${example}`;
  const check = ({ is, expected }: ArgumentKind, value: unknown, where = place) => {
    if (!is(value)) throw wrong(where, expected, value, { fix });
  };
  for (const [i, one] of (takes as readonly (ArgumentKind | Options)[]).entries()) {
    const value = given[i];
    if ('is' in one) check(one, value);
    else if (value !== undefined) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        throw wrong(place, 'an object with options', value, { fix });
      }
      const found = Object.entries(value).filter(([, written]) => written !== undefined);
      const names = found.map(([key]) => key);
      if (one.settings === undefined) checkKnown(place, 'option', names, Object.keys(one.options));
      for (const [key, written] of found) {
        const kind = one.options[key];
        if (kind !== undefined) check(kind, written, { ...place, text: `${name}: ${key}` });
      }
    }
  }
  const { batch, paths } = Object(given[0]) as Readonly<Record<string, unknown>>;
  if (name === 'verify' && batch !== undefined && paths !== undefined) {
    throw new ImgtoolError('usage', 'verify: takes a batch or paths, not both', { fix });
  }
}
