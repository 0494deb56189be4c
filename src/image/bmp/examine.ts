import { tooManyPixels } from '../../errors.ts';
import type { Limits } from '../../model.ts';
import type { Source } from '../open.ts';
import { type Examined, type PlainPicture, plainPicture } from '../plain.ts';
import { corrupt, damagedPicture } from '../unreadable.ts';
import { type Bitmap, bitmapOfFile, strideOf } from './bitmap.ts';
import { bitmapOfIcon } from './icon.ts';
import { hasAlpha, maskOut, paint } from './pixels.ts';

/** The most pixels for each byte of the file. A run has 255 pixels in two bytes, and a picture may end before its last row. */
const MOST_PER_BYTE = 4096;

/**
 * Decides how to read a BMP, or an icon whose largest picture is no PNG. Errors: `corrupt`, `too_large`,
 * `unsupported_format`.
 */
export function examineBitmap(source: Source, { pixels, lenient }: Limits, isIcon = false): Examined {
  const bitmap = isIcon ? bitmapOfIcon(source) : bitmapOfFile(source);
  const { width, height, packed, bits, at } = bitmap;
  if (width * height > pixels) throw tooManyPixels(width, height, pixels);
  // A short file can state a huge picture: a run takes two bytes, and `lenient` accepts missing rows.
  if (width * height > source.facts.size * MOST_PER_BYTE)
    throw damagedPicture('it is too short for its size');
  // The last row may lack the bytes that fill it up to a multiple of four.
  const needed = packed ? 0 : strideOf(width, bits) * (height - 1) + Math.ceil((width * bits) / 8);
  const isShort = at + needed > source.facts.size;
  const damage = isShort
    ? corrupt(new Error('its pixels end early'), lenient, { format: 'tiff', progressive: false })
    : null;
  if (damage !== null && !lenient) throw damage;
  return { frames: 1, failOn: 'error', damage, plain: plainBitmap(source, bitmap, isIcon) };
}

function plainBitmap(source: Source, bitmap: Bitmap, isIcon: boolean): PlainPicture {
  const { width, height, packed, at, profile } = bitmap;
  const isOpaque = !hasAlpha(source, bitmap);
  // The mask of an icon counts only where its pixels have no alpha of their own.
  const isMasked = isIcon && isOpaque;
  const shown = isOpaque ? { ...bitmap, fields: [...bitmap.fields.slice(0, 3), 0] } : bitmap;
  const alpha = isMasked || !isOpaque;
  const stated = { width, height, colours: 3, alpha, bits: 8, profile, orientation: 1 };
  const work = packed ? width * height + Math.max(0, source.facts.size - at) : 0;
  return plainPicture(stated, work, (out, lenient) => {
    paint(source, shown, alpha ? 4 : 3, out, lenient);
    if (isMasked) maskOut(source, bitmap, out);
  });
}
