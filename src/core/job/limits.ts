import { type ImgtoolError, svgRefused, tooManyPixels } from '../../errors.ts';
import type { Limits, SourceRecord } from '../../model.ts';

/**
 * The error with which the decoder would refuse a recorded picture under the current limits; undefined when it would
 * not. Reads nothing.
 */
export function refusedNow(
  { format, width, height }: SourceRecord,
  { allowSvg, pixels }: Limits,
): ImgtoolError | undefined {
  if (format === 'svg' && !allowSvg) return svgRefused();
  return width * height > pixels ? tooManyPixels(width, height, pixels) : undefined;
}
