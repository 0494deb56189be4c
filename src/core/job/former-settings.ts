import type { BatchOptions, Variant } from '../../model.ts';
import type { RenamedSettings } from '../../ports.ts';
import { effectiveFields, type FieldKey } from '../../variants/fields.ts';
import { digestOf, settingsOf } from './settings-digest.ts';

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
export function formerSettingsOfAll({
  preset,
  limits: { lenient },
}: Pick<BatchOptions, 'preset' | 'limits'>): (string | undefined)[] {
  return preset.variants.map((variant) => formerSettingsOf(variant, lenient));
}

/** What to rename in an index before a batch with these options uses it, with and without `--lenient`. */
export function renamedSettings({ preset }: Pick<BatchOptions, 'preset'>): RenamedSettings[] {
  return [false, true].flatMap((lenient) =>
    preset.variants.flatMap((variant) => {
      const from = formerSettingsOf(variant, lenient);
      const to = settingsOf(variant, { lenient });
      return from === undefined || from === to ? [] : [{ from, to }];
    }),
  );
}

function formerSettingsOf(variant: Variant, lenient: boolean): string | undefined {
  if (effectiveFields(variant).some(([key]) => !FORMER_FIELDS.includes(key))) return undefined;
  const fields = FORMER_FIELDS.map((key) => [key, variant[key]] as const);
  return digestOf(lenient ? [...fields, ['lenient', true]] : fields);
}
