import { createHash } from 'node:crypto';
import type { BatchOptions, Limits, Preset } from '../../model.ts';
import type { RenamedSettings } from '../../ports.ts';
import { effectiveFields, FIELD_KEYS, FIELD_TABLE, type FieldKey } from '../../variants/fields.ts';

/** What changes the bytes of outputs. */
type RenderOptions = Pick<BatchOptions, 'preset'> & { readonly limits: Pick<Limits, 'lenient'> };

/**
 * The settings digest of each variant: lower-case hex SHA-256 of everything about it that changes the bytes of its outputs.
 * It leaves out the name, the versions of the encoders, and fields at their off values. So a new field changes no digest.
 */
export function settingsOfAll({ preset, limits }: RenderOptions): string[] {
  return preset.variants.map((variant) => digestOf(effectiveFields(variant), limits.lenient));
}

type DigestField = readonly [key: string, value: unknown];

function digestOf(fields: readonly DigestField[], lenient: boolean): string {
  const all: DigestField[] = [...fields, ...(lenient ? [['lenient', true] as const] : [])];
  const sorted = all.sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex');
}

/** In an index up to version 3, a settings digest covers exactly these fields, even those at their off values. */
export const FORMER_FIELDS: readonly FieldKey[] = [
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

/** The former digest of each variant. A variant with newer fields has none. */
export function formerSettingsOfAll({ preset, limits }: RenderOptions): (string | undefined)[] {
  return preset.variants.map((variant) => {
    if (effectiveFields(variant).some(([key]) => !FORMER_FIELDS.includes(key))) return undefined;
    const fields = FORMER_FIELDS.map((key) => [key, variant[key]] as const);
    return digestOf(fields, limits.lenient);
  });
}

/** The preset with the newer fields of its variants, which are off: an earlier version recorded it without them. */
export function withNewerFields(recorded: Preset): Preset {
  const off = Object.fromEntries(FIELD_KEYS.map((key) => [key, FIELD_TABLE[key].off]));
  return { ...recorded, variants: recorded.variants.map((variant) => ({ ...off, ...variant })) };
}

/** What to rename in an index before a batch with these options uses it, with and without `--lenient`. */
export function renamedSettings({ preset }: Pick<BatchOptions, 'preset'>): RenamedSettings[] {
  return [false, true].flatMap((lenient) => {
    const options = { preset, limits: { lenient } };
    const now = settingsOfAll(options);
    return formerSettingsOfAll(options).flatMap((from, i) => {
      const to = now[i]!;
      return from === undefined || from === to ? [] : [{ from, to }];
    });
  });
}
