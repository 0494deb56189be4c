import { choice, DECIMAL, decimalNumber, LEAST_DECIMAL, type Scalar, type Schema, scalar } from './values.ts';
import { CONTENTS, type Percent, PLACES, type Position } from './words.ts';

/** Pixels, or a share of the picture's side. */
export type Length = number | Percent;

/** The most pixels that a length can have: more than the side of any picture. */
const MOST_PIXELS = 2 ** 31 - 1;

const PERCENT_PATTERN = `\\s*${DECIMAL}\\s*%\\s*`;

/** A percentage above 0, or from 0. */
export function percentType(most: number, from: 'above 0' | 'from 0'): Scalar<Percent> {
  const share = decimalNumber(from === 'from 0' ? 0 : LEAST_DECIMAL, most);
  return scalar<Percent>({
    expected: from === 'from 0' ? `0% to ${most}%` : `a percentage above 0% and up to ${most}%, such as 50%`,
    schema: { type: 'string', pattern: `^${PERCENT_PATTERN}$` },
    parse(raw) {
      const written = typeof raw === 'string' ? /^([^%]*)%\s*$/.exec(raw)?.[1] : undefined;
      const value = share.parse(written);
      return value === undefined ? undefined : `${value}%`;
    },
  });
}

/** Whole pixels, or a percentage up to 100. */
function length(from: 'above 0' | 'from 0'): Scalar<Length> {
  const share = percentType(100, from);
  const least = from === 'from 0' ? 0 : 1;
  return scalar<Length>({
    expected: `pixels or a percentage, ${from}`,
    schema: {
      anyOf: [
        { type: 'integer', minimum: least, maximum: MOST_PIXELS },
        { type: 'string', pattern: `^(\\s*\\d{1,10}\\s*|${PERCENT_PATTERN})$` },
      ],
    },
    parse(raw) {
      const value = typeof raw === 'string' && /^\s*\d{1,10}\s*$/.test(raw) ? Number(raw) : raw;
      if (typeof value !== 'number') return share.parse(value);
      return Number.isInteger(value) && value >= least && value <= MOST_PIXELS ? value : undefined;
    },
  });
}

/** One side of a ratio. */
export const ratioSide: Scalar<number> = decimalNumber(LEAST_DECIMAL, 65_535);

/** Two values with `:` between them, or a list in a file. */
export function pair<T>(expected: string, part: Scalar<T>): Scalar<readonly [T, T]> {
  return scalar<readonly [T, T]>({
    expected,
    schema: schemaOfList([part, part]),
    show: (values) => values.join(':'),
    parse(raw) {
      const [first, second, ...rest] = listOf(raw).map(part.parse);
      return first === undefined || second === undefined || rest.length > 0 ? undefined : [first, second];
    },
  });
}

/** Left, top, width and height. */
export type CropBox = readonly [left: Length, top: Length, width: Length, height: Length];

const START = length('from 0');
const EXTENT = length('above 0');

export const cropType: Scalar<CropBox> = scalar<CropBox>({
  expected: 'LEFT:TOP:WIDTH:HEIGHT in pixels or per cent, such as 10:20:300:200 or 25%:0:50%:100%',
  schema: schemaOfList([START, START, EXTENT, EXTENT]),
  show: (values) => values.join(':'),
  parse(raw) {
    const list = listOf(raw);
    const [left, top] = list.slice(0, 2).map(START.parse);
    const [width, height, ...rest] = list.slice(2).map(EXTENT.parse);
    if (left === undefined || top === undefined || width === undefined || height === undefined)
      return undefined;
    return rest.length > 0 ? undefined : [left, top, width, height];
  },
});

function listOf(raw: unknown): readonly unknown[] {
  if (Array.isArray(raw)) return raw;
  return typeof raw === 'string' ? raw.split(':') : [];
}

function schemaOfList(parts: readonly Scalar<unknown>[]): Schema {
  const count = parts.length;
  const ofText = { type: 'string', pattern: `^[^:]+(:[^:]+){${count - 1}}$` };
  const prefixItems = parts.map(({ schema }) => schema);
  return { anyOf: [ofText, { type: 'array', prefixItems, minItems: count, maxItems: count }] };
}

const word = choice([...PLACES, ...CONTENTS], spellings());
const point = pair('X%:Y%', percentType(100, 'from 0'));

export const positionType: Scalar<Position> = scalar<Position>({
  expected: `${word.expected}, or a focal point such as 30%:40%`,
  words: [...PLACES, ...CONTENTS],
  schema: { anyOf: [word.schema, point.schema] },
  show: (position) => (typeof position === 'string' ? position : position.join(':')),
  parse: (raw) => word.parse(raw) ?? point.parse(raw),
});

function spellings(): ReadonlyMap<string, (typeof PLACES)[number]> {
  const hyphenated = PLACES.map((one) => [one.replace(' ', '-'), one] as const);
  return new Map([...hyphenated.filter(([hyphens, one]) => hyphens !== one), ['center', 'centre']]);
}
