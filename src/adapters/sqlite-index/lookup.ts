import type { NameRecord, SourceRecord } from '../../model.ts';
import type { Catalog, FoldName, Lookup } from '../../ports.ts';
import type { Connection } from '../sqlite/connection.ts';

/** A row as an array, in the order of its columns: SQLite reads it in half the time of an object. */
type Row = readonly unknown[];

const SOURCE =
  'path, size, mtime, ino, digest, width, height, format, dominant_color, seen_at, ctime, pages, degraded';
export const OUTPUT = `path, source, variant, settings, digest, format, width, height, size, mtime, ino, checksum, encoder, presets, recipe, metadata, linkable`;

/** Up to this number, keys are read one by one. */
const FEW = 16;
/** Keys of one folder are neighbours: their range is read at once, up to this many rows for each key. */
const DENSE = 2;
const SURROGATE = /[\ud800-\udfff]/;

export function createLookup({ prepare, read }: Connection, fold: FoldName): Catalog['lookup'] {
  const sources = openTable('sources', 'path', SOURCE);
  const outputs = openTable('outputs', 'key', OUTPUT);
  const inWork = prepare<[string], number>(`
    SELECT 1 FROM jobs WHERE run IS NOT NULL AND source = ? LIMIT 1`).pluck();

  return (ofSources, ofOutputs) =>
    read(() => {
      const found = new Map<string, SourceRecord>();
      const held = new Map<string, NameRecord>();
      const busy = new Set<string>();
      for (const row of sources(ofSources)) found.set(row[0] as string, sourceIn(row));
      // A source may be in the place of an output.
      for (const paths of [ofOutputs, ofSources]) {
        const keys: string[] = [];
        for (const path of paths) {
          const key = fold(path);
          if (!held.has(key)) keys.push(key);
        }
        for (const row of outputs(keys)) {
          const record = outputIn(row);
          const key = fold(record.path);
          held.set(key, record);
          if (record.checksum === null && inWork.get(record.source) === 1) busy.add(key);
        }
      }
      return {
        source: (path) => found.get(path),
        output: (path) => held.get(fold(path)),
        isInWork: (path) => busy.has(fold(path)),
      } satisfies Lookup;
    });

  /** Reads the rows with these keys, and sometimes rows between them. */
  function openTable(table: string, key: string, columns: string): (keys: readonly string[]) => Row[] {
    const one = prepare<[string], Row>(`SELECT ${columns} FROM ${table} WHERE ${key} = ?`).raw();
    const between = prepare<[string, string, number], Row>(`
      SELECT ${columns} FROM ${table} WHERE ${key} BETWEEN ? AND ? LIMIT ?`).raw();
    return (keys) => {
      const range = rangeOf(keys);
      const most = DENSE * keys.length;
      const rows = range && between.all(...range, most + 1);
      return rows !== undefined && rows.length <= most ? rows : keys.flatMap((at) => one.all(at));
    };
  }
}

/** The first and the last key in bytewise order. Undefined for few keys, and where the order is not certain. */
function rangeOf(keys: readonly string[]): [string, string] | undefined {
  let first = keys[0];
  if (first === undefined || keys.length <= FEW) return undefined;
  let last = first;
  for (const key of keys) {
    // UTF-16 sorts like UTF-8, except for these.
    if (SURROGATE.test(key)) return undefined;
    if (key < first) first = key;
    if (key > last) last = key;
  }
  return [first, last];
}

/** A row with the columns SOURCE. */
function sourceIn(row: Row): SourceRecord {
  return {
    path: row[0],
    size: row[1],
    mtime: row[2],
    ino: row[3],
    digest: row[4],
    width: row[5],
    height: row[6],
    format: row[7],
    dominantColor: row[8],
    seenAt: row[9],
    ctime: row[10],
    pages: row[11],
    degraded: row[12] === 1,
  } as SourceRecord;
}

/** A row with the columns OUTPUT. Thousands are read in a run: a rest or a spread takes twice to ten times as long. */
function outputIn(row: Row): NameRecord {
  return {
    path: row[0],
    source: row[1],
    variant: row[2],
    settings: row[3],
    digest: row[4],
    format: row[5],
    width: row[6],
    height: row[7],
    size: row[8],
    mtime: row[9],
    ino: row[10],
    checksum: row[11],
    encoder: row[12],
    presets: row[13],
    recipe: row[14],
    metadata: row[15],
    linkable: row[16],
  } as NameRecord;
}
