import * as v from 'valibot';
import type { LooseVariant } from '../presets.ts';
import { fieldsFor, KEY_ALIASES, readFormat } from './fields.ts';
import { at, type Place, unknown, wrong } from './place.ts';
import { isMapping, type Reader } from './plain.ts';
import { parseFields, parseSpec, type Written } from './spec.ts';
import { checked } from './values.ts';

// A leading dot would hide the output, and `..` would leave its folder.
const NAME = v.pipe(v.string(), v.regex(/^[a-z\d_-][a-z\d._-]{0,63}$/i));

/** Names of variants and presets become parts of paths. */
export const readName = checked(
  NAME,
  'a name of letters, digits, ".", "_" and "-", at most 64, not starting with "."',
);

/** Variants as written: a list of specs or mappings, one spec, or a mapping from name to variant. */
export function readVariants(raw: unknown, place: Place): readonly LooseVariant[] {
  const variants = written(raw, place).map(({ entry, place }) => readVariant(entry, place));
  const seen = new Set<string>();
  for (const { name, format } of variants) {
    const key = `${name} ${format}`.toLowerCase();
    if (seen.has(key)) throw wrong(place, 'each variant once in a format', `${name} (${format})`);
    seen.add(key);
  }
  return variants;
}

interface Entry {
  readonly entry: Written;
  readonly place: Place;
}

function written(raw: unknown, place: Place): readonly Entry[] {
  if (typeof raw === 'string') return [specEntry(raw, place)];
  if (Array.isArray(raw)) {
    return raw.map((item: unknown, i) => {
      if (typeof item === 'string') return specEntry(item, place);
      const { name, ...fields } = mapping(item, at(place, `[${i}]`));
      return { entry: { name, fields: Object.entries(fields) }, place: at(place, `[${i}]`) };
    });
  }
  return Object.entries(mapping(raw, place)).map(([name, value]) => {
    const inner = at(place, `.${name}`);
    const fields =
      typeof value === 'string' ? parseFields(value, inner) : Object.entries(mapping(value, inner));
    return { entry: { name, fields }, place: inner };
  });
}

function specEntry(spec: string, place: Place): Entry {
  return { entry: parseSpec(spec, place), place: at(place, ` ${spec}`) };
}

function mapping(raw: unknown, place: Place): Record<string, unknown> {
  if (isMapping(raw)) return raw;
  throw wrong(place, 'a variant', raw, { fix: 'for example { name: hero, width: 1600, format: avif }' });
}

function readVariant({ name, fields }: Written, place: Place): LooseVariant {
  const given = named(fields, place);
  const take = <T>(key: string, read: Reader<T>) =>
    given.has(key) ? read(given.get(key), at(place, `: ${key}`)) : undefined;
  const format = take('format', readFormat) ?? 'webp';
  const readers = fieldsFor(format);
  const variant: LooseVariant = {
    name: readName(name, at(place, ': name')),
    width: take('width', readers.width),
    height: take('height', readers.height),
    fit: take('fit', readers.fit),
    position: take('position', readers.position),
    format,
    quality: take('quality', readers.quality),
    effort: take('effort', readers.effort),
    lossless: take('lossless', readers.lossless),
    grayscale: take('grayscale', readers.grayscale),
    sharpen: take('sharpen', readers.sharpen),
    background: take('background', readers.background),
  };
  checkBox(variant, place);
  return variant;
}

function checkBox({ width, height, fit }: LooseVariant, place: Place): void {
  if (width === undefined && height === undefined) {
    throw wrong(place, 'a width or a height', undefined, { fix: 'add for example w=1600' });
  }
  if (fit === 'cover' && (width === undefined || height === undefined)) {
    throw wrong(at(place, ': fit'), 'width and height for cover', 'cover', {
      fix: 'give both, or fit=inside',
    });
  }
}

/** The fields by their full keys, absent where null. */
function named(fields: Written['fields'], place: Place): ReadonlyMap<string, unknown> {
  const known = Object.keys(fieldsFor('webp'));
  const given = new Map<string, unknown>();
  const unknownKeys: string[] = [];
  for (const [key, value] of fields) {
    const full = Object.hasOwn(KEY_ALIASES, key) ? (KEY_ALIASES[key] ?? key) : key;
    if (!known.includes(full)) unknownKeys.push(key);
    else if (given.has(full)) throw wrong(at(place, `: ${full}`), 'it once', value);
    else if (value !== null) given.set(full, value);
  }
  if (unknownKeys.length > 0) throw unknown(place, 'key', unknownKeys, known);
  return given;
}
