import { type Key, SETTINGS } from './settings.ts';

export const KEYS = Object.keys(SETTINGS).filter(isKey);

export function isKey(word: string): word is Key {
  return Object.hasOwn(SETTINGS, word);
}

/** `--limit-pixels` of limitPixels. */
export function longFlag(key: Key): string {
  return /--[\w-]+/.exec(SETTINGS[key].flag)?.[0] ?? '';
}

/** `IMGTOOL_LIMIT_PIXELS` of limitPixels. */
export function envName(key: Key): string {
  return `IMGTOOL_${longFlag(key).slice(2).replaceAll('-', '_').toUpperCase()}`;
}

/** Whether the flag may be given several times. */
export function isRepeatable(key: Key): boolean {
  return Array.isArray(SETTINGS[key].initial);
}
