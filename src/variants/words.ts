// The words in values of fields: for the shape of outputs, and for what they keep. The children load this file too, so it
// imports nothing.

export const FITS = ['inside', 'outside', 'cover', 'contain', 'fill'] as const;
export type Fit = (typeof FITS)[number];

export const PLACES = [
  'centre',
  ...['top', 'right top', 'right', 'right bottom', 'bottom', 'left bottom', 'left', 'left top'],
] as const;

/** A part of a picture that is found by its content. */
export const CONTENTS = ['entropy', 'attention'] as const;

/** A percentage as text, for example `12.5%`. */
export type Percent = `${number}%`;

/** From the left and from the top. */
export type FocalPoint = readonly [Percent, Percent];
export type ByContent = (typeof CONTENTS)[number];
export type Position = (typeof PLACES)[number] | ByContent | FocalPoint;

export function isByContent(position: Position): position is ByContent {
  return CONTENTS.some((one) => one === position);
}

/** The focal point that a word or pair means. */
export function focalPoint(position: Exclude<Position, ByContent>): FocalPoint {
  if (typeof position !== 'string') return position;
  const side = (before: string, after: string): Percent =>
    position.includes(before) ? '0%' : position.includes(after) ? '100%' : '50%';
  return [side('left', 'right'), side('top', 'bottom')];
}

/** What an output can keep of the metadata of its source. */
export const KEEPS = [
  ...(['copyright', 'description', 'date', 'gps', 'camera'] as const),
  ...(['icc', 'density', 'exif', 'xmp'] as const),
] as const;
export type Keep = (typeof KEEPS)[number];

/** The value of `keep` that keeps nothing. */
export const NOTHING = 'none';

/** The words of a value of `keep`. */
export function keptWords(keep: string): Keep[] {
  const words = keep.split('+');
  return KEEPS.filter((word) => words.includes(word));
}

/** What a variant says about metadata. */
interface Asking {
  readonly keep: string;
  readonly copyright: string | null;
  readonly artist: string | null;
}

/** Whether a variant's outputs get metadata. */
export function hasMetadata({ keep, copyright, artist }: Asking): boolean {
  return keptWords(keep).length > 0 || copyright !== null || artist !== null;
}
