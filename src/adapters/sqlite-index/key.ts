/** What neither folding nor normalising changes but for its capitals. */
const ASCII = /^[\x00-\x7f]*$/;

/**
 * An output path as a case-folding, normalising disk would compare it (APFS, NTFS), so that a set of outputs made on
 * one disk fits on any. Upper case first, since some letters (ß) have no single lower-case partner.
 */
export function keyOf(path: string): string {
  if (ASCII.test(path)) return path.toLowerCase();
  return path.normalize('NFC').toUpperCase().toLowerCase().normalize('NFC');
}
