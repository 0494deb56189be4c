import { ImgtoolError } from '../errors.ts';
import type { PixelSize, Variant } from '../model.ts';
import type { Length } from '../variants/lengths.ts';
import type { Offset } from './fit.ts';
import * as F from './fraction.ts';

/** The part of a source that a variant asks for: a page, and a region of it. */

/** A page of a TIFF, from 1, and the last page that is read from this file. */
export type PageRange = { readonly page: number; readonly last: number };

/** A rectangle of whole pixels. */
export type Region = Offset & PixelSize;

/** The region that `crop` names; null for the whole picture. Errors: `outside_picture`. */
export function cropOf(picture: PixelSize, { name, crop }: Pick<Variant, 'name' | 'crop'>): Region | null {
  if (crop === null) return null;
  const [left, top, width, height] = crop;
  const across = span(picture.width, left, width);
  const down = span(picture.height, top, height);
  if (across === null || down === null) throw outside(picture, name, crop.join(':'));
  const region = { left: across.start, top: down.start, width: across.length, height: down.length };
  return width === picture.width && height === picture.height ? null : region;
}

/** Both ends are rounded, so that neighbours by percentages share an edge. Null when an end is not in the picture. */
function span(side: number, from: Length, long: Length) {
  const start = exact(side, from);
  const end = F.plus(start, exact(side, long));
  if (F.compare(end, F.ratioOf(side)) > 0) return null;
  const last = F.rounded(end, 1);
  const first = Math.min(F.rounded(start, 0), last - 1);
  return { start: first, length: last - first };
}

const exact = (side: number, length: Length): F.Fraction =>
  typeof length === 'number' ? F.ratioOf(length) : F.times(F.shareOf(length), F.ratioOf(side));

function outside({ width, height }: PixelSize, name: string, crop: string): ImgtoolError {
  const message = `crop ${crop} of variant ${name} is not inside the picture of ${width} x ${height} px`;
  const fix = 'give the crop in per cent, or leave the picture out with {{exclude}}';
  return new ImgtoolError('outside_picture', message, { fix });
}

/** The error for a page that the source does not have. */
export function withoutPage(page: number, why: string): ImgtoolError {
  const fix = 'choose another page, or leave the picture out with {{exclude}}';
  return new ImgtoolError('outside_picture', `it has no page ${page}: ${why}`, { fix });
}

/** A region within a region, in pixels of the picture. */
export function within(outer: Region | null, inner: Region | null): Region | null {
  if (outer === null || inner === null) return inner ?? outer;
  return { ...inner, left: outer.left + inner.left, top: outer.top + inner.top };
}

export const magnified = ({ left, top, width, height }: Region, by: number): Region => ({
  left: left * by,
  top: top * by,
  width: width * by,
  height: height * by,
});
