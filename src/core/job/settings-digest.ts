import { createHash } from 'node:crypto';
import type { Limits, Variant } from '../../model.ts';

/**
 * Lower-case hex SHA-256 of everything about a variant that changes its bytes, and nothing else: not its name, not the
 * versions of the encoders. `lenient` counts only where it is on, so that it costs nobody else a new render.
 */
export function settingsOf(variant: Variant, { lenient }: Limits): string {
  const { name: _, ...bytes } = variant;
  const entries = Object.entries(lenient ? { ...bytes, lenient } : bytes);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(entries)).digest('hex');
}
