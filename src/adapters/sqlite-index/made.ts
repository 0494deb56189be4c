import type { Job, OutputRecord, Reservation, SourceRecord } from '../../model.ts';
import type { Index, Lookup } from '../../ports.ts';
import type { Connection } from './connection.ts';
import { keyOf } from './key.ts';

/** How many places of the same bytes are told; the first that is intact serves. */
const FEW = 8;

const SOURCE = `path, size, mtime, ino, digest, width, height, format, dominant_color AS dominantColor,
  seen_at AS seenAt`;
const OUTPUT = `path, source, variant, settings, digest, format, width, height, size, mtime, ino, checksum, encoder`;

/** What was made: sources and outputs. */
export interface Made {
  readonly port: Pick<Index, 'lookup' | 'made' | 'skipped' | 'inherit'>;
  /** Holds a name for a source; false when it is another's. Inside a write step. */
  reserve(path: string, source: string): boolean;
  /** The source a name is held for. */
  ownerOf(path: string): string | undefined;
  /** Records what was learnt and made. Inside a write step. */
  record(
    source: SourceRecord | undefined,
    made: readonly OutputRecord[],
    skipped: readonly Reservation[],
  ): void;
}

export function openMade({ db, read, write }: Connection): Made {
  const source = db.prepare<[string], SourceRecord>(`SELECT ${SOURCE} FROM sources WHERE path = ?`);
  const output = db.prepare<[string], OutputRecord | Reservation>(
    `SELECT ${OUTPUT} FROM outputs WHERE key = ?`,
  );
  const sameBytes = db.prepare<[string, string, number], OutputRecord>(
    `SELECT ${OUTPUT} FROM outputs WHERE digest = ? AND settings = ? AND checksum IS NOT NULL ORDER BY id LIMIT ?`,
  );
  const skippedBytes = db.prepare<[string, string], Reservation>(
    `SELECT ${OUTPUT} FROM outputs WHERE digest = ? AND settings = ? AND checksum IS NULL ORDER BY id`,
  );
  const owner = db.prepare<[string], string>('SELECT source FROM outputs WHERE key = ?').pluck();
  const reserve = db.prepare('INSERT INTO outputs (key, path, source) VALUES (?, ?, ?)');
  const bequeath = db.prepare('UPDATE outputs SET source = ? WHERE key = ? AND source = ?');
  const lapse = db.prepare('DELETE FROM outputs WHERE source = ? AND checksum IS NULL AND digest IS NULL');
  const rename = db.prepare('UPDATE jobs SET naming = 0 WHERE id = ?');
  const putSource = db.prepare(
    `INSERT INTO sources (path, size, mtime, ino, digest, width, height, format, dominant_color, seen_at)
     VALUES (@path, @size, @mtime, @ino, @digest, @width, @height, @format, @dominantColor, @seenAt)
     ON CONFLICT (path) DO UPDATE SET size = excluded.size, mtime = excluded.mtime, ino = excluded.ino,
       dominant_color = iif(digest = excluded.digest, coalesce(excluded.dominant_color, dominant_color),
         excluded.dominant_color),
       digest = excluded.digest, width = excluded.width, height = excluded.height, format = excluded.format,
       seen_at = excluded.seen_at`,
  );
  const putOutput = db.prepare(
    `INSERT INTO outputs (key, path, source, variant, settings, digest, format, width, height, size, mtime, ino,
       checksum, encoder)
     VALUES (@key, @path, @source, @variant, @settings, @digest, @format, @width, @height, @size, @mtime, @ino,
       @checksum, @encoder)
     ON CONFLICT (key) DO UPDATE SET path = excluded.path, variant = excluded.variant, settings = excluded.settings,
       digest = excluded.digest, format = excluded.format, width = excluded.width, height = excluded.height,
       size = excluded.size, mtime = excluded.mtime, ino = excluded.ino, checksum = excluded.checksum,
       encoder = excluded.encoder
     WHERE outputs.source = excluded.source`,
  );

  return {
    port: {
      lookup: (sources, outputs) =>
        read(() => {
          const found = new Map(sources.map((path) => [path, source.get(path)]));
          const held = new Map(outputs.map((path) => [path, output.get(keyOf(path))]));
          return { source: (path) => found.get(path), output: (path) => held.get(path) } satisfies Lookup;
        }),
      made: (digest, settings) => read(() => settings.flatMap((one) => sameBytes.all(digest, one, FEW))),
      skipped: (digest, settings) => read(() => settings.flatMap((one) => skippedBytes.all(digest, one))),
      inherit: (job: Job, from, paths) =>
        write(() => {
          lapse.run(job.source);
          for (const path of paths) bequeath.run(job.source, keyOf(path), from);
          rename.run(job.id);
        }),
    },
    reserve(path, forSource) {
      const held = owner.get(keyOf(path));
      if (held === undefined) reserve.run(keyOf(path), path, forSource);
      return held === undefined || held === forSource;
    },
    ownerOf: (path) => owner.get(keyOf(path)),
    record(learnt, made, skipped) {
      if (learnt !== undefined) putSource.run(learnt);
      for (const one of made) putOutput.run({ ...one, key: keyOf(one.path) });
      for (const one of skipped) putOutput.run({ ...NOTHING_MADE, ...one, key: keyOf(one.path) });
    },
  };
}

const NOTHING_MADE = {
  format: null,
  width: null,
  height: null,
  size: null,
  mtime: null,
  ino: null,
  checksum: null,
  encoder: null,
};
