import { createHash } from 'node:crypto';
import type { BatchOptions, Limits, Variant } from '../../model.ts';
import type { RenamedSettings } from '../../ports.ts';
import { effectiveFields, type FieldKey } from '../../variants/fields.ts';

type Lenient = Pick<Limits, 'lenient'>;
type DigestedOptions = Pick<BatchOptions, 'preset' | 'limits'>;

/**
 * Lower-case hex SHA-256 of everything about a variant that changes the bytes of its outputs. It leaves out the name, the
 * versions of the encoders, and fields at their off values. Therefore a new field changes no digest.
 */
export function settingsOf(variant: Variant, limits: Lenient): string {
  return digestOf(effectiveFields(variant), limits);
}

/** The settings digest of each variant, in the order of the variants. */
export function settingsOfAll({ preset, limits }: DigestedOptions): string[] {
  return preset.variants.map((variant) => settingsOf(variant, limits));
}

type Field = readonly [key: string, value: unknown];

function digestOf(fields: readonly Field[], { lenient }: Lenient): string {
  const all: Field[] = [...fields, ...(lenient ? [['lenient', true] as const] : [])];
  const sorted = all.sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex');
}

/** The settings digests of indexes up to version 3 covered exactly these fields, off or not. */
const FORMER_FIELDS: readonly FieldKey[] = [
  'width',
  'height',
  'fit',
  'position',
  'format',
  'quality',
  'effort',
  'lossless',
  'grayscale',
  'sharpen',
  'background',
];

/** The former digest of each variant, in the order of the variants. A variant with newer fields has none. */
export function formerSettingsOfAll({ preset, limits }: DigestedOptions): (string | undefined)[] {
  return preset.variants.map((variant) => formerSettingsOf(variant, limits));
}

/** What to rename in an index before a batch with these options uses it, with and without `--lenient`. */
export function renamedSettings({ preset }: Pick<BatchOptions, 'preset'>): RenamedSettings[] {
  return [false, true].flatMap((lenient) =>
    preset.variants.flatMap((variant) => {
      const from = formerSettingsOf(variant, { lenient });
      const to = settingsOf(variant, { lenient });
      return from === undefined || from === to ? [] : [{ from, to }];
    }),
  );
}

function formerSettingsOf(variant: Variant, limits: Lenient): string | undefined {
  if (effectiveFields(variant).some(([key]) => !FORMER_FIELDS.includes(key))) return undefined;
  const fields = FORMER_FIELDS.map((key) => [key, variant[key]] as const);
  return digestOf(fields, limits);
}
