import { createHash } from 'node:crypto';
import type { BatchOptions, Limits, Variant } from '../../model.ts';
import { effectiveFields } from '../../variants/fields.ts';

/**
 * Lower-case hex SHA-256 of everything about a variant that changes the bytes of its outputs. It leaves out the name, the
 * versions of the encoders, and fields at their off values. Therefore a new field changes no digest.
 */
export function settingsOf(variant: Variant, { lenient }: Pick<Limits, 'lenient'>): string {
  return digestOf([...effectiveFields(variant), ...(lenient ? [['lenient', true] as const] : [])]);
}

/** The settings digest of each variant, in the order of the variants. */
export function settingsOfAll({ preset, limits }: Pick<BatchOptions, 'preset' | 'limits'>): string[] {
  return preset.variants.map((variant) => settingsOf(variant, limits));
}

export function digestOf(fields: readonly (readonly [key: string, value: unknown])[]): string {
  const sorted = [...fields].sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex');
}
