import type { Format } from '../variants/formats.ts';

/** Pixels. */
export type PixelSize = { readonly width: number; readonly height: number };

/** The facts about a regular file from a stat. */
export interface FileFacts {
  /** Bytes. */
  readonly size: number;
  /** Nanoseconds since 1970, as a decimal string: neither JSON nor a double can hold the number. */
  readonly mtime: string;
  readonly ino: string;
}

/**
 * What stands before the time of a record that is marked as wrong. `damaged`: a check has found damage in this file.
 * `changed`: the file has other bytes, perhaps of an edit.
 */
export const MARKS = { damaged: '!', changed: '?' } as const;
export type Mark = keyof typeof MARKS;

/** The facts about a source from a stat. */
export interface SourceFacts extends FileFacts {
  /**
   * The last change of the file or its inode, in nanoseconds like `mtime`. No program can set it. Null when it is unknown
   * or must not be compared.
   */
  readonly ctime: string | null;
}

/** The index's record of a source, with the size of the upright picture. Records of older versions have no ctime. */
export interface SourceRecord extends SourceFacts, PixelSize {
  /** Absolute path. */
  readonly path: string;
  readonly digest: string;
  readonly format: string;
  /** Number of frames or pages; null in a record of an older version. */
  readonly pages: number | null;
  /** `#rrggbb`; null before the first rendering. */
  readonly dominantColor: string | null;
  /** Whether its outputs show only what could be read of a damaged picture. */
  readonly degraded: boolean;
  /** Time of the stat in milliseconds since 1970. */
  readonly seenAt: number;
}

/** Who asked for a name of an output. */
interface AskedBy {
  /**
   * Names of presets, with a comma before and after each: `,web,archive,`. Null in records of older versions. A record
   * that is written adds its one name to those that are known, and null adds none.
   */
  readonly presets: string | null;
}

/** The name of a preset as records have it. */
export const presetMark = (preset: string) => `,${preset},`;

/** Whether the index knows that this preset asks for an output. */
export function isAskedBy(preset: string, { presets }: AskedBy): boolean {
  return presets?.includes(presetMark(preset)) === true;
}

/** Whether no other preset is known to ask for an output. */
export function isAskedOnlyBy(preset: string, { presets }: AskedBy): boolean {
  return presets === null || presets.replace(presetMark(preset), ',') === ',';
}

/** The index's record of an output: its owner, its origin, its settings, and the facts about its file. */
export interface OutputRecord extends FileFacts, PixelSize, AskedBy {
  /** Absolute path: the storage key. */
  readonly path: string;
  /** Absolute path of the source that owns it. */
  readonly source: string;
  readonly variant: string;
  readonly settings: string;
  /** Digest of the source bytes that this output was rendered from. */
  readonly digest: string;
  readonly format: Format;
  /** Lower-case hex SHA-256 of the output's own bytes. */
  readonly checksum: string;
  /** Versions of the libraries that encoded it. */
  readonly encoder: string;
  /** The recipe (variants/formats.ts) that it was made by; null for outputs of versions that recorded none. */
  readonly recipe: number | null;
  /** The metadata that was written into it (`RenderedOutput`); null for none. */
  readonly metadata: string | null;
  /**
   * Length of the output folder at the start of `path`, if other outputs in this folder may be links to the file. Null for
   * a file that was made with `--duplicates copy`, or by a version that did not record this.
   */
  readonly linkable: number | null;
}

/** A name reserved for a source, without an output yet. If `digest` is set, the source is a skipped duplicate. */
export interface Reservation extends AskedBy {
  readonly path: string;
  readonly source: string;
  readonly checksum: null;
  readonly settings: string | null;
  readonly digest: string | null;
  readonly variant: string | null;
}

/** What is recorded about a name below an output folder. */
export type NameRecord = OutputRecord | Reservation;
