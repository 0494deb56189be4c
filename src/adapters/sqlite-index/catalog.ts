import { sep } from 'node:path';
import { outputExists } from '../../errors.ts';
import { MARKS, presetMark } from '../../model/records.ts';
import type { NameRecord, OutputRecord, Reservation, SourceRecord } from '../../model.ts';
import type { Catalog, FoldName } from '../../ports.ts';
import { type Connection, pagesFrom } from '../sqlite/connection.ts';
import { createLookup, OUTPUT } from './lookup.ts';

/**
 * When many sources have the same bytes, so many of their oldest outputs and so many of their newest are read. The oldest
 * belong to the first source with these bytes; the newest are most likely still there.
 */
const FROM_EACH_END = 6;

/** Number of outputs that one step of `renameSettings` covers. */
const RENAMED = 20_000;

/** Sources read in one step. */
const PAGE = 1_000;

const COLUMNS = OUTPUT.split(', ');
const CHANGED = COLUMNS.filter((name) => name !== 'source' && name !== 'presets');
const NOTHING_MADE = Object.fromEntries(COLUMNS.map((name) => [name, null]));

/** What jobs do with the names of outputs, inside their own steps. */
export type NameRecords = ReturnType<typeof createCatalog>['names'];

export function createCatalog(connection: Connection, fold: FoldName) {
  const { prepare, read, write } = connection;
  const oldest = prepare<[string, string, number], OutputRecord>(`
    SELECT ${OUTPUT} FROM outputs WHERE digest = ? AND settings = ? AND checksum IS NOT NULL ORDER BY id LIMIT ?`);
  const newest = prepare<[string, string, number], OutputRecord>(`
    SELECT ${OUTPUT} FROM outputs WHERE digest = ? AND settings = ? AND checksum IS NOT NULL
    ORDER BY id DESC LIMIT ?`);
  const skippedBytes = prepare<[string, string], Reservation>(`
    SELECT ${OUTPUT} FROM outputs WHERE digest = ? AND settings = ? AND checksum IS NULL ORDER BY id`);
  const sameFile = prepare<{ checksum: string; name: string }, OutputRecord>(`
    SELECT ${OUTPUT} FROM outputs WHERE substr(checksum, 1, 12) = substr(@checksum, 1, 12)
      AND checksum = @checksum AND substr(key, -length(@name)) = @name LIMIT 1`);
  const below = prepare<[string, string, number], { id: string }>(`
    SELECT path AS id FROM sources WHERE path > ? AND path < ? ORDER BY path LIMIT ?`);
  const ofSourcesBelow = prepare<[string, number, string, number], NameRecord & { order: number }>(`
    SELECT id AS "order", ${OUTPUT} FROM outputs
    WHERE (source, id) > (?, ?) AND source < ? AND digest IS NOT NULL ORDER BY source, id LIMIT ?`);
  const outputsIn = prepare<[string, string, number], NameRecord & { id: string }>(`
    SELECT key AS id, ${OUTPUT} FROM outputs WHERE key > ? AND key < ? AND digest IS NOT NULL ORDER BY key LIMIT ?`);
  const page = prepare<[number, number], OutputRecord & { id: number }>(`
    SELECT id, ${OUTPUT} FROM outputs WHERE id > ? AND checksum IS NOT NULL ORDER BY id LIMIT ?`);
  // No file has a time with a mark, or this checksum, so the next job reads the output and finds it wrong.
  const distrust = prepare(`
    UPDATE outputs SET mtime = @mark || mtime, checksum = ''
    WHERE checksum <> '' AND checksum = @checksum
      AND ((key = @key AND mtime = @mtime) OR (digest = @digest AND settings = @settings AND ino = @ino))`);
  const former = prepare<[string], { first: number; last: number }>(`
    SELECT first, last FROM former_settings WHERE settings = ?`);
  const dropFormer = prepare('DELETE FROM former_settings WHERE settings = ?');
  const rename = prepare(`
    UPDATE outputs SET settings = renamed.value FROM json_each(?) AS renamed
    WHERE outputs.id BETWEEN ? AND ? AND settings = renamed.key`);
  const owned = prepare<[string], NameRecord>(`
    SELECT ${OUTPUT} FROM outputs WHERE source = ?`);
  const dropOutput = prepare('DELETE FROM outputs WHERE key = ? AND source = ?');
  const dropSource = prepare('DELETE FROM sources WHERE path = ?');
  const owner = prepare<[string], string>('SELECT source FROM outputs WHERE key = ?').pluck();
  const reserve = prepare(`
    INSERT INTO outputs (key, path, source) VALUES (?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET source = excluded.source WHERE source <> excluded.source`);
  const lapseAll = prepare('DELETE FROM outputs WHERE source = ? AND checksum IS NULL AND digest IS NULL');
  const putSource = prepare(`
    INSERT INTO sources (path, size, mtime, ino, digest, width, height, format, pages, dominant_color, seen_at, ctime, degraded)
    VALUES (@path, @size, @mtime, @ino, @digest, @width, @height, @format, @pages, @dominantColor, @seenAt, @ctime, @degraded)
    ON CONFLICT (path) DO UPDATE SET size = excluded.size, mtime = excluded.mtime, ino = excluded.ino,
      dominant_color = iif(digest = excluded.digest, coalesce(excluded.dominant_color, dominant_color),
        excluded.dominant_color),
      degraded = excluded.degraded OR (degraded AND digest = excluded.digest),
      digest = excluded.digest, width = excluded.width, height = excluded.height, format = excluded.format,
      pages = excluded.pages, seen_at = excluded.seen_at, ctime = excluded.ctime, missing = NULL`);
  const noteMissing = prepare<[string]>(`
    UPDATE sources SET missing = (SELECT coalesce(max(id), 0) FROM outputs) WHERE path = ? AND missing IS NULL`);
  const noteFound = prepare<[string]>(
    'UPDATE sources SET missing = NULL WHERE path = ? AND missing IS NOT NULL',
  );
  const noted = prepare<[string, string], { path: string; missing: number }>(`
    SELECT path, missing FROM sources INDEXED BY sources_missing
    WHERE missing IS NOT NULL AND path > ? AND path < ?`);
  const addCtime = prepare('UPDATE sources SET ctime = @ctime WHERE path = @path AND ctime IS NULL');
  const putOutput = prepare(`
    INSERT INTO outputs (key, ${OUTPUT}) VALUES (@key, ${COLUMNS.map((name) => `@${name}`).join(', ')})
    ON CONFLICT (key) DO UPDATE SET ${CHANGED.map((name) => `${name} = excluded.${name}`).join(', ')},
      presets = iif(excluded.presets IS NULL, presets, ${withPreset('excluded.presets')})
    WHERE outputs.source = excluded.source`);
  const ask = prepare<[NameAsked]>(`
    UPDATE outputs SET presets = ${withPreset('@preset')}, variant = @variant
    WHERE key = @key AND source = @source
      AND (instr(coalesce(presets, ''), @preset) = 0 OR variant IS NOT @variant)`);
  const noLongerAsk = prepare<[Omit<NameAsked, 'variant'>]>(`
    UPDATE outputs SET presets = replace(presets, @preset, ',') WHERE key = @key AND source = @source`);

  /** Records outputs and the names of skipped duplicates. Errors: `output_exists` for a name of another source. */
  const record = (outputs: readonly NameRecord[]) => {
    for (const output of outputs) {
      const { changes } = putOutput.run({ ...NOTHING_MADE, ...output, key: fold(output.path) });
      // The name was reserved for this source. Another source has the name now, so this source counted as gone.
      if (changes === 0) throw outputExists(output.path);
    }
  };

  return {
    catalog: {
      lookup: createLookup(connection, fold),
      made: (digest, settings) =>
        read(() =>
          settings.flatMap((one) => {
            const ends = [oldest, newest].flatMap((end) => end.all(digest, one, FROM_EACH_END));
            return [...new Map(ends.map((output) => [output.path, output])).values()];
          }),
        ),
      skipped: (digest, settings) => read(() => settings.flatMap((one) => skippedBytes.all(digest, one))),
      withChecksum: (checksum, name) => read(() => sameFile.get({ checksum, name: fold(`${sep}${name}`) })),
      async *sourcesBelow(folder) {
        const [first, end] = rangeBelow(folder);
        const pages = pagesFrom(read, first, (after) => below.all(after, end, PAGE));
        for await (const rows of pages) yield* rows.map(({ id }) => id);
      },
      async *outputsOfSources(folder) {
        const [first, end] = rangeBelow(folder);
        const next = ([source, order]: readonly [string, number]) =>
          ofSourcesBelow.all(source, order, end, PAGE).map((output) => {
            return { id: [output.source, output.order] as const, output };
          });
        for await (const rows of pagesFrom(read, [first, 0], next)) yield* rows.map(({ output }) => output);
      },
      async *outputsBelow(folder) {
        const [first, end] = rangeBelow(fold(folder));
        for await (const rows of pagesFrom(read, first, (after) => outputsIn.all(after, end, PAGE))) {
          for (const { id: _, ...output } of rows) yield output;
        }
      },
      async *outputs() {
        for await (const rows of pagesFrom(read, 0, (after) => page.all(after, PAGE))) {
          for (const { id: _, ...output } of rows) yield output;
        }
      },
      async renameSettings(renamed) {
        const ranges = await read(() => renamed.flatMap(({ from }) => former.get(from) ?? []));
        if (ranges.length === 0) return;
        const names = JSON.stringify(Object.fromEntries(renamed.map(({ from, to }) => [from, to])));
        const last = Math.max(...ranges.map((range) => range.last));
        // In pages, so that other processes can write in between.
        for (let id = Math.min(...ranges.map(({ first }) => first)); id <= last; id += RENAMED) {
          await write(() => rename.run(names, id, id + RENAMED - 1));
        }
        await write(() => {
          for (const { from } of renamed) dropFormer.run(from);
        });
      },
      distrust: (outputs, mark) =>
        write(() => {
          for (const one of outputs) distrust.run({ ...one, key: fold(one.path), mark: MARKS[mark] });
        }),
      ownedBy: (path) => read(() => owned.all(path)),
      forget: (path, outputs, given, isGone) =>
        write(() => {
          record(given);
          for (const output of outputs) dropOutput.run(fold(output), path);
          if (isGone) dropSource.run(path);
        }),
      ask: (preset, outputs, isAsked) =>
        write(() => {
          for (const { path, source, variant } of outputs) {
            const name = { preset: presetMark(preset), key: fold(path), source };
            if (isAsked) ask.run({ ...name, variant });
            else noLongerAsk.run(name);
          }
        }),
      noteMissing: (paths) =>
        write(() => {
          for (const path of paths) noteMissing.run(path);
        }),
      noteFound: (paths) =>
        write(() => {
          for (const path of paths) noteFound.run(path);
        }),
      notedMissing: (folder) =>
        read(() => new Map(noted.all(...rangeBelow(folder)).map(({ path, missing }) => [path, missing]))),
      addCtimes: (seen) =>
        write(() => {
          for (const { path, ctime } of seen) addCtime.run({ path, ctime });
        }),
    } satisfies Catalog,
    names: {
      /** Reserves a name for a source. A name of another source passes to it with its record. */
      reserve: (path: string, source: string) => void reserve.run(fold(path), path, source),
      /** The source that has a name. */
      ownerOf: (path: string) => owner.get(fold(path)),
      /** Frees the reserved names of a source under which nothing was made. */
      lapse: (source: string) => void lapseAll.run(source),
      /** Removes the record of an output of a source. */
      giveUp: (path: string, source: string) => void dropOutput.run(fold(path), source),
      recordSource: (source: SourceRecord) =>
        void putSource.run({ ...source, degraded: source.degraded ? 1 : 0 }),
      record,
    },
  };
}

interface NameAsked {
  /** The name of a preset as it is in the column `presets`. */
  readonly preset: string;
  readonly key: string;
  readonly source: string;
  readonly variant: string | null;
}

/** SQL for the column `presets` with one more name, which is there once. */
function withPreset(name: string): string {
  const all = "coalesce(outputs.presets, ',')";
  return `iif(instr(${all}, ${name}) > 0, ${all}, ${all} || substr(${name}, 2))`;
}

/** All paths below a folder lie between these two. */
function rangeBelow(folder: string): [first: string, end: string] {
  const first = folder.endsWith(sep) ? folder : folder + sep;
  // The character after the separator.
  return [first, first.slice(0, -1) + String.fromCharCode(sep.charCodeAt(0) + 1)];
}
