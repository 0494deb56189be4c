import { isKey, longFlag } from './settings.ts';

const SETTING = /\{\{(\w+)(?: ([^}]*))?\}\}/g;

/** A hint in the words of the command line: `--limit-pixels 12M` for `{{limitPixels 12M}}`. */
export function hintAsFlags(hint: string): string {
  return hint.replace(SETTING, (whole, key: string, value?: string) =>
    isKey(key) ? [longFlag(key), ...(value === undefined ? [] : [value])].join(' ') : whole,
  );
}

/** A hint in the words of a program: `limitPixels: '12M'` for `{{limitPixels 12M}}`. */
export function hintAsOptions(hint: string): string {
  return hint.replace(SETTING, (_, key: string, value?: string) =>
    value === undefined ? key : `${key}: ${/^\d+$/.test(value) ? value : `'${value}'`}`,
  );
}
