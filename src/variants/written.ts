import type { LooseVariant, Variant } from './fields.ts';
import {
  FIELD_KEYS,
  FIELD_TABLE,
  type FieldKey,
  fieldKey,
  formatType,
  fullVariant,
  showField,
} from './fields.ts';
import { type Format, formatsOf } from './formats.ts';
import { at, type Place, unknown, wrong } from './place.ts';
import { checkTogether } from './together.ts';
import { isMapping, orNumber, scalar, showList, textOfNumber, type ValueType } from './values.ts';

/** Variants as a person writes them: `hero:w=1600,format=avif,q=55`, or a mapping in a file. */

const EXAMPLE = 'for example hero:w=1600,format=avif,q=55';
const COMMAS = `${EXAMPLE}; a comma in a value is \\,`;
const COLONS = 'write a value of several numbers with : between them, for example crop=10:20:300:200';
const HELP = 'imgtool help variants describes each key and its values';

// A leading dot would hide the output, and `..` would leave its folder.
const NAME = '^[A-Za-z\\d_-][A-Za-z\\d._-]{0,63}$';

/** The name of a variant or preset, which becomes part of a path. */
export const nameType = scalar<string>({
  expected: 'a name of letters, digits, ".", "_" and "-", at most 64, not starting with "."',
  schema: orNumber({ type: 'string', pattern: NAME }),
  parse(raw) {
    const name = textOfNumber(raw);
    return typeof name === 'string' && new RegExp(NAME).test(name) ? name : undefined;
  },
});

/** Reads a list of specs or mappings, one spec, or a mapping from names to variants. */
export function readVariants(raw: unknown, place: Place): readonly LooseVariant[] {
  const variants = entriesOf(raw, place).map(readVariant);
  const seen = new Set<string>();
  for (const { name, format } of variants) {
    const key = `${name} ${format}`.toLowerCase();
    if (seen.has(key)) throw wrong(place, 'each variant once in a format', `${name} (${format})`);
    seen.add(key);
  }
  return variants;
}

/** A variant whose values are not checked yet. */
interface WrittenVariant {
  readonly name: unknown;
  readonly fields: readonly (readonly [key: string, value: unknown])[];
  readonly place: Place;
}

function entriesOf(raw: unknown, place: Place): readonly WrittenVariant[] {
  if (typeof raw === 'string') return [parseSpec(raw, place)];
  if (Array.isArray(raw)) {
    return raw.map((item: unknown, i) => {
      if (typeof item === 'string') return parseSpec(item, place);
      const inner = at(place, `[${i}]`);
      const { name, ...fields } = mapping(item, inner);
      return { name, fields: Object.entries(fields), place: inner };
    });
  }
  return Object.entries(mapping(raw, place)).map(([name, value]) => {
    const inner = at(place, `.${name}`);
    const isText = typeof value === 'string';
    const fields = isText ? parseFields(value, inner) : Object.entries(mapping(value, inner));
    return { name, fields, place: inner };
  });
}

function mapping(raw: unknown, place: Place): Record<string, unknown> {
  if (isMapping(raw)) return raw;
  throw wrong(place, 'a variant', raw, { fix: 'for example { name: hero, width: 1600, format: avif }' });
}

/** Splits `hero:w=1600,format=avif,lossless`. */
function parseSpec(spec: string, place: Place): WrittenVariant {
  const colon = spec.indexOf(':');
  if (colon < 1) throw wrong(place, 'NAME:KEY=VALUE,…', spec, { fix: EXAMPLE });
  const inner = at(place, ` ${spec}`);
  return {
    name: spec.slice(0, colon).trim(),
    fields: parseFields(spec.slice(colon + 1), inner),
    place: inner,
  };
}

/** Splits `w=1600,format=avif,lossless`. A comma or backslash after a backslash is part of a value. */
function parseFields(text: string, place: Place): WrittenVariant['fields'] {
  // The commas behind an even number of backslashes.
  return text.split(/(?<=(?<!\\)(?:\\\\)*),/).map((written) => {
    const part = written.replaceAll(/\\([\\,])/g, '$1');
    const [key = '', ...rest] = part.split('=');
    if (key.trim() === '') throw wrong(place, 'KEY=VALUE between the commas', part, { fix: COMMAS });
    // A bare word turns its field on.
    return [key.trim(), rest.length === 0 ? true : rest.join('=').trim()] as const;
  });
}

function readVariant({ name, fields, place }: WrittenVariant): LooseVariant {
  const given = byKey(fields, place);
  const wanted = given.get('format') ?? 'webp';
  const format = formatType.parse(wanted);
  if (format === undefined) throw wrongValue('format', 'webp', wanted, place);
  const values = FIELD_KEYS.filter((key) => given.has(key)).map((key) => {
    const raw = given.get(key);
    const value = FIELD_TABLE[key].in(format).type.parse(raw);
    if (value === undefined) throw wrongValue(key, format, raw, place);
    return [key, value];
  });
  const named = { name: nameType.read(name, at(place, ': name')) };
  const variant: LooseVariant = { ...named, ...Object.fromEntries(values), format };
  checkTogether(variant, place);
  return variant;
}

/** The error for a value that a field cannot have. It names other formats that allow the value. */
function wrongValue(key: FieldKey, format: Format, raw: unknown, place: Place) {
  const { in: allowedIn } = FIELD_TABLE[key];
  const { expected, words, fix } = allowedIn(format).type;
  const others = formatsOf((other) => {
    const { type, isFixed } = allowedIn(other);
    return isFixed !== true && type.parse(raw) !== undefined;
  });
  const advice = fix ?? (others === '' ? HELP : `choose format=${others} for this value`);
  return wrong(at(place, `: ${key}`), expected, raw, { words, fix: advice });
}

/** The given fields by their full keys. A null value counts as absent. */
function byKey(fields: WrittenVariant['fields'], place: Place): ReadonlyMap<FieldKey, unknown> {
  const given = new Map<FieldKey, unknown>();
  const unknownKeys: string[] = [];
  for (const [written, value] of fields) {
    const key = fieldKey(written);
    if (key === undefined) unknownKeys.push(written);
    else if (given.has(key)) throw wrong(at(place, `: ${key}`), 'it once', value);
    else if (value !== null) given.set(key, value);
  }
  const areNumbers = unknownKeys.some((written) => /^[\d.]/.test(written));
  if (unknownKeys.length > 0)
    throw unknown(place, 'key', unknownKeys, FIELD_KEYS, areNumbers ? COLONS : undefined);
  return given;
}

/** The shortest spec that reads as this variant. */
export function specOf(variant: Variant): string {
  const { name, width, height, format } = variant;
  const plain = fullVariant({ name, width, height, format });
  const always = (['width', 'height', 'format'] as const).filter((key) => variant[key] !== null);
  const chosen = FIELD_KEYS.filter(
    (key) => variant[key] !== plain[key] && FIELD_TABLE[key].implied?.(variant) === undefined,
  );
  const words = chosen.filter((key) => variant[key] === true);
  const values = [...always, ...chosen.filter((key) => !words.includes(key))];
  const written = values.map((key) => {
    return `${FIELD_TABLE[key].short ?? key}=${showField(variant, key).replaceAll(/[\\,]/g, '\\$&')}`;
  });
  return `${name}:${[...written, ...words].join(',')}`;
}

export const variantsType: ValueType<readonly LooseVariant[]> = {
  read: readVariants,
  schema: { $ref: '#/$defs/variants' },
  show: (variants) => showList(variants.map((variant) => specOf(fullVariant(variant)))),
};

/** Fields that have a column of their own in the list of presets. */
const COLUMNS: readonly FieldKey[] = ['width', 'height', 'fit', 'scale', 'format', 'quality', 'lossless'];

/** The columns of a variant in the list of presets. */
export function cellsOf(variant: Variant) {
  const { width, height, fit, scale, format, quality, lossless } = variant;
  const side = height === null ? (scale ?? 'same size') : `h=${height}`;
  const box = width === null ? side : `w=${width}`;
  const isOptional = (key: FieldKey) => FIELD_TABLE[key].off !== undefined;
  const shown = FIELD_KEYS.filter((key) => {
    const { off, in: allowed } = FIELD_TABLE[key];
    return !COLUMNS.includes(key) && variant[key] !== off && allowed(format).isFixed !== true;
  });
  // What every variant has comes first.
  const sorted = [...shown.filter((key) => !isOptional(key)), ...shown.filter(isOptional)];
  const options = sorted.map((key) => (variant[key] === true ? key : `${key} ${showField(variant, key)}`));
  return {
    size: width !== null && height !== null ? `${width}x${height} ${fit}` : box,
    quality: lossless ? 'lossless' : FIELD_TABLE.quality.in(format).isFixed ? '-' : `q${quality}`,
    options: options.join(', ') || '-',
  };
}
