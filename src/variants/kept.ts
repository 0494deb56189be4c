// The words of the field `keep`. The children load this file too, so it imports nothing.

export const KEEPS = [
  ...(['copyright', 'description', 'date', 'gps', 'camera'] as const),
  ...(['icc', 'density', 'exif', 'xmp'] as const),
] as const;
export type Keep = (typeof KEEPS)[number];

/** The value of `keep` that keeps nothing. */
export const NOTHING = 'none';

/** The words of a value of `keep`. A batch of an older version has no value. */
export function keptWords(keep: string = NOTHING): Keep[] {
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
  return keptWords(keep).length > 0 || (copyright ?? artist ?? null) !== null;
}
