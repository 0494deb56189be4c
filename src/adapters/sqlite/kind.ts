/** What one kind of record in an SQLite file has of its own: tables, words for messages, and how safe its commits are. */
export interface DatabaseKind {
  /** The word for it in messages. */
  readonly noun: string;
  /** The same word with its article. */
  readonly one: string;
  /**
   * Each script brings the schema from version n to n + 1. Never change a released script: add one. Each `CREATE` begins a
   * line.
   */
  readonly migrations: readonly string[];
  /** Every file of this kind has at least one of these tables, whatever its version. */
  readonly tables: readonly string[];
  /** Whether a power cut loses no commit. Otherwise it may lose the last ones, and the file is sound in any case. */
  readonly isDurable: boolean;
  /** What to do when there is no file. */
  readonly fixAbsence: string;
  /** What to do about a damaged file. */
  readonly fixDamage: (path: string) => string;
  /** What to do when the file was deleted or replaced while it was in use. */
  readonly fixLoss: string;
  /** What to do when the file was deleted and another process still works with it. */
  readonly fixLeftBehind: string;
}

/** The tables, indexes and triggers in the schema of a version. */
export function schemaNames({ migrations }: DatabaseKind, version: number): string[] {
  const created = migrations
    .slice(0, version)
    .join('')
    .replaceAll(/--.*/g, '')
    .matchAll(/^CREATE (TABLE|INDEX|TRIGGER) (\w+)([^;]*)/gm);
  return [...created].flatMap(([, type = '', name = '', columns = '']) => [
    `${type.toLowerCase()} ${name}`,
    // SQLite makes an index for each unique column.
    ...[...columns.matchAll(/ UNIQUE/g)].map((_, i) => `index sqlite_autoindex_${name}_${i + 1}`),
  ]);
}
