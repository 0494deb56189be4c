import { type ImgtoolError, svgRefused, tooManyPixels } from '../../errors.ts';
import type { Limits, SourceRecord } from '../../model.ts';

/**
 * Why a picture that was recorded under other limits is refused now, as the decoder would refuse it; undefined where
 * it is not. Nothing is read.
 */
export function refusedNow(
  { format, width, height }: SourceRecord,
  { allowSvg, pixels }: Limits,
): ImgtoolError | undefined {
  if (format === 'svg' && !allowSvg) return svgRefused();
  return width * height > pixels ? tooManyPixels(width, height, pixels) : undefined;
}
