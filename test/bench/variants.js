/** What every way is to make of each picture: the preset `web`, never enlarged, no metadata. */
export const WIDTHS = { large: 1200, medium: 600, thumbnail: 150 };
export const QUALITY = 85;
export const EFFORT = 4;

/** A variant's size by the source's own ratio. */
export function sizeOf(source, width) {
  const across = Math.min(width, source.width);
  return { width: across, height: Math.max(1, Math.round((source.height * across) / source.width)) };
}
