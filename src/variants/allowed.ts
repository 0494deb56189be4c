import { EFFORTS, type Format, formatsOf, MOVING, type PerFormat } from './formats.ts';
import { choice, NO, type Scalar, scalar, wholeNumber } from './values.ts';

/** The values that fields of a variant can have, in each format. */

export interface Allowed<T> {
  readonly type: Scalar<Exclude<T, null>>;
  readonly initial: T;
  /** The format has no choice: the value is always `initial`. */
  readonly isFixed?: boolean;
}

/** The values of a field that only the formats with a `type` have. In other formats the value is `initial`. */
export function onlyIn<T extends string | number | boolean>(
  key: string,
  type: (format: Format) => Scalar<T> | null,
  initial: (format: Format) => T,
): (format: Format) => Allowed<T> {
  const fix = `leave ${key} out, or choose format=${formatsOf((format) => type(format) !== null)}`;
  return (format) => {
    const [value, values] = [initial(format), type(format)];
    if (values !== null) return { type: values, initial: value };
    // Accept this one value: `imgtool presets --json` prints complete variants, which have it.
    const words = value === false ? NO : [String(value)];
    const none = scalar<T>({
      ...{ expected: `no ${key} for ${format}`, fix },
      schema: { enum: [value, ...words] },
      parse: (raw) => (raw === value || words.includes(String(raw)) ? value : undefined),
    });
    return { type: none, initial: value, isFixed: true };
  };
}

export function effortType(format: Format): Scalar<number> | null {
  const efforts = EFFORTS[format];
  return efforts && wholeNumber(efforts.least, efforts.most, ` (for ${format})`);
}

/** How finely a lossy encoder stores colours. */
export type Chroma = 'auto' | '444' | '420' | 'sharp';

const RATIOS = choice<Chroma>(
  ['auto', '444', '420'],
  new Map([
    ['4:4:4', '444'],
    ['4:2:0', '420'],
  ]),
);

/** YAML reads 444 as a number. */
const ratioType: Scalar<Chroma> = scalar({
  ...RATIOS,
  schema: { anyOf: [RATIOS.schema, { enum: [444, 420] }] },
  parse: (raw) => RATIOS.parse(typeof raw === 'number' ? String(raw) : raw),
});

const CHROMAS: Partial<PerFormat<Scalar<Chroma>>> = {
  ...{ jpeg: ratioType, avif: ratioType, webp: choice<Chroma>(['auto', 'sharp']) },
};

export const chromaType = (format: Format): Scalar<Chroma> | null => CHROMAS[format] ?? null;

/** Which frames of an animation an output has. */
export type Animated = 'all' | 'first';

const ANIMATED = choice<Animated>(['all', 'first']);

export const animatedType = (format: Format): Scalar<Animated> | null =>
  MOVING.has(format) ? ANIMATED : null;

const BIT_DEPTHS = [8, 10, 12] as const;
export type BitDepth = (typeof BIT_DEPTHS)[number];

export const bitsType: Scalar<BitDepth> = scalar({
  expected: `one of ${BIT_DEPTHS.join(', ')}`,
  schema: { enum: [...BIT_DEPTHS, ...BIT_DEPTHS.map(String)] },
  parse: (raw) => BIT_DEPTHS.find((bits) => bits === raw || String(bits) === raw),
});

export const COLOR: Scalar<string> = scalar({
  expected: 'a colour such as #ffffff, #fff, white or black',
  schema: { type: 'string', pattern: '^\\s*(#[\\dA-Fa-f]{3}|#[\\dA-Fa-f]{6}|white|black)\\s*$' },
  parse(raw) {
    const word = typeof raw === 'string' ? raw.trim().toLowerCase() : '';
    const short = word.replace(/^white$/, '#fff').replace(/^black$/, '#000');
    const hex = short.replace(/^#([\da-f])([\da-f])([\da-f])$/, '#$1$1$2$2$3$3');
    return /^#[\da-f]{6}$/.test(hex) ? hex : undefined;
  },
});
