import { type Place, wrong } from './place.ts';

/** Readers of what most commands are given, which need no schema: those take longer to load than a batch to look up. */

/** Takes a value as written (a string, or what JSON and YAML make of it); throws an error that names the place. */
export type Reader<T> = (raw: unknown, place: Place) => T;

/** A reader that is made of schemas, once there is a value for it. */
export interface Later<T> {
  readonly of: (schemas: typeof import('./schemas.ts')) => Reader<T>;
}

export function later<T>(of: Later<T>['of']): Later<T> {
  return { of };
}

export function choice<const W extends string>(words: readonly W[]): Reader<W> {
  return (raw, place) => {
    const word = words.find((one) => one === raw);
    if (word === undefined) throw wrong(place, `one of ${words.join(', ')}`, raw, { words });
    return word;
  };
}

const YES = ['true', 'yes', 'on', '1'];
const NO = ['false', 'no', 'off', '0'];

export const yesOrNo: Reader<boolean> = (raw, place) => {
  if (typeof raw === 'boolean') return raw;
  const word = typeof raw === 'string' ? raw.toLowerCase() : '';
  if (YES.includes(word)) return true;
  if (NO.includes(word)) return false;
  throw wrong(place, 'true or false', raw, { words: ['true', 'false'] });
};

/** Text that can be part of a path: something, and no NUL. */
export function textOf(what: string): Reader<string> {
  return (raw, place) => {
    if (isText(raw)) return raw;
    throw wrong(place, what, raw);
  };
}

/** One text or a list of them. */
export function textsOf(what: string): Reader<readonly string[]> {
  return (raw, place) => {
    const texts: readonly unknown[] = Array.isArray(raw) ? raw : [raw];
    if (texts.every(isText)) return [...texts];
    throw wrong(place, `${what}, or a list of them`, raw);
  };
}

function isText(raw: unknown): raw is string {
  return typeof raw === 'string' && raw !== '' && !raw.includes('\0');
}

export function isMapping(raw: unknown): raw is Record<string, unknown> {
  return typeof raw === 'object' && raw !== null && !Array.isArray(raw);
}
