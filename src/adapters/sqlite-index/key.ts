/**
 * An output path as a case-folding, normalising disk would compare it (APFS, NTFS), so that a set of outputs made on
 * one disk fits on any. Upper case first, since some letters (ß) have no single lower-case partner.
 */
export function keyOf(path: string): string {
  return path.normalize('NFC').toUpperCase().toLowerCase().normalize('NFC');
}
