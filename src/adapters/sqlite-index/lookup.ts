import type { OutputRecord, Reservation, SourceRecord } from '../../model.ts';
import type { Catalog, FoldName, Lookup } from '../../ports.ts';
import type { Connection } from './connection.ts';

/** Columns in the order asked for: to read them so takes half the time of an object for each row. */
type Row = readonly unknown[];

const SOURCE = 'path, size, mtime, ino, digest, width, height, format, dominant_color, seen_at, ctime';
export const OUTPUT = `path, source, variant, settings, digest, format, width, height, size, mtime, ino, checksum, encoder`;

/** So many are looked up one by one. */
const FEW = 16;
/** What a walk meets lies side by side: a range is read in its place as long as it holds at most so many times as much. */
const DENSE = 2;
const SURROGATE = /[\ud800-\udfff]/;

export function createLookup({ prepare, read }: Connection, fold: FoldName): Catalog['lookup'] {
  const sources = openTable('sources', 'path', SOURCE);
  const outputs = openTable('outputs', 'key', OUTPUT);
  const inWork = prepare<[string], number>(
    'SELECT 1 FROM jobs WHERE run IS NOT NULL AND source = ? LIMIT 1',
  ).pluck();

  return (ofSources, ofOutputs) =>
    read(() => {
      const found = new Map<string, SourceRecord>();
      const held = new Map<string, OutputRecord | Reservation>();
      for (const row of sources(ofSources)) found.set(row[0] as string, sourceIn(row));
      // A source may lie under the name of an output.
      for (const paths of [ofOutputs, ofSources]) {
        const keys = paths.map(fold).filter((key) => !held.has(key));
        for (const row of outputs(keys)) held.set(fold(row[0] as string), outputIn(row));
      }
      const busy = new Set<string>();
      for (const [key, { checksum, source }] of held) {
        if (checksum === null && inWork.get(source) === 1) busy.add(key);
      }
      return {
        source: (path) => found.get(path),
        output: (path) => held.get(fold(path)),
        isInWork: (path) => busy.has(fold(path)),
      } satisfies Lookup;
    });

  /** Reads the rows with these keys, and perhaps some that lie between them. */
  function openTable(table: string, key: string, columns: string): (keys: readonly string[]) => Row[] {
    const one = prepare<[string], Row>(`SELECT ${columns} FROM ${table} WHERE ${key} = ?`).raw();
    const between = prepare<[string, string, number], Row>(
      `SELECT ${columns} FROM ${table} WHERE ${key} BETWEEN ? AND ? LIMIT ?`,
    ).raw();
    return (keys) => {
      const range = rangeOf(keys);
      const most = DENSE * keys.length;
      const rows = range && between.all(...range, most + 1);
      return rows !== undefined && rows.length <= most ? rows : keys.flatMap((at) => one.all(at));
    };
  }
}

/** The first and the last of many in bytewise order. */
function rangeOf(keys: readonly string[]): [string, string] | undefined {
  let [first] = keys;
  if (first === undefined || keys.length <= FEW) return undefined;
  let last = first;
  for (const key of keys) {
    // UTF-16 sorts as UTF-8 does but for these.
    if (SURROGATE.test(key)) return undefined;
    if (key < first) first = key;
    if (key > last) last = key;
  }
  return [first, last];
}

/** What was asked for as SOURCE. */
function sourceIn(row: Row): SourceRecord {
  const [path, size, mtime, ino, digest, width, height, format, dominantColor, seenAt, ctime] = row;
  return {
    path,
    size,
    mtime,
    ino,
    digest,
    width,
    height,
    format,
    dominantColor,
    seenAt,
    ctime,
  } as SourceRecord;
}

/** What was asked for as OUTPUT. */
function outputIn(row: Row): OutputRecord | Reservation {
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
  } as OutputRecord | Reservation;
}
