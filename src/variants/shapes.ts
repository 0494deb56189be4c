import { type Percent, pair, percentType } from './lengths.ts';
import { choice, type Scalar, scalar } from './values.ts';

/** How a picture becomes the shape that its variant asks for. */

export const FITS = ['inside', 'outside', 'cover', 'contain', 'fill'] as const;
export type Fit = (typeof FITS)[number];

const PLACES = [
  'centre',
  ...['top', 'right top', 'right', 'right bottom', 'bottom', 'left bottom', 'left', 'left top'],
] as const;
/** A part of a picture that is found by its content. */
const CONTENTS = ['entropy', 'attention'] as const;

/** From the left and from the top. */
export type FocalPoint = readonly [Percent, Percent];
export type ByContent = (typeof CONTENTS)[number];
export type Position = (typeof PLACES)[number] | ByContent | FocalPoint;

export function isByContent(position: Position): position is ByContent {
  return CONTENTS.some((one) => one === position);
}

/** The focal point that a word or pair means. */
export function focalPoint(position: Exclude<Position, ByContent>): FocalPoint {
  if (typeof position !== 'string') return position;
  const side = (before: string, after: string): Percent =>
    position.includes(before) ? '0%' : position.includes(after) ? '100%' : '50%';
  return [side('left', 'right'), side('top', 'bottom')];
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
