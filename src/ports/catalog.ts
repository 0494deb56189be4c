import type { Mark, NameRecord, OutputRecord, Reservation, SourceRecord } from '../model.ts';

/** The processed sources and their outputs. */
export interface Catalog {
  /** Reads the records of these sources, and of outputs under these names and under the paths of the sources. */
  lookup(sources: readonly string[], outputs: readonly string[]): Promise<Lookup>;
  /** Outputs made from these bytes with these settings: for each settings digest some of the oldest and of the newest. */
  made(digest: string, settings: readonly string[]): Promise<OutputRecord[]>;
  /** An output with these bytes and this file name, in any folder. */
  withChecksum(checksum: string, name: string): Promise<OutputRecord | undefined>;
  /** Names that skipped duplicates with these bytes hold. Nothing was made under these names. */
  skipped(digest: string, settings: readonly string[]): Promise<Reservation[]>;
  /** Paths of recorded sources below a folder, in bytewise order. */
  sourcesBelow(folder: string): AsyncIterable<string>;
  /**
   * Outputs of sources below a folder, and names that skipped duplicates there hold, source by source in bytewise order of
   * their paths. `order` grows with each new name in the index.
   */
  outputsOfSources(folder: string): AsyncIterable<NameRecord & { readonly order: number }>;
  /** Outputs below a folder, and names there that skipped duplicates hold. */
  outputsBelow(folder: string): AsyncIterable<NameRecord>;
  /** Replaces settings digests of an older version, in several steps. May be called again, also after a crash. */
  renameSettings(renamed: readonly RenamedSettings[]): Promise<void>;
  /** All outputs that were made, oldest first. */
  outputs(): AsyncIterable<OutputRecord>;
  /**
   * Marks these outputs, and all links to their files, as wrong: the next job makes them again. Does nothing where an output
   * was made again in the meantime. May be called twice.
   */
  distrust(outputs: readonly OutputRecord[], mark: Mark): Promise<void>;
  /** The names that belong to this source, made or reserved. */
  ownedBy(source: string): Promise<NameRecord[]>;
  /**
   * Removes the records of these names of a source and, when it `isGone`, of the source itself. `given` are outputs that
   * other sources received in exchange; they are recorded in the same step. A second call changes nothing. Errors:
   * `output_exists` when a name in `given` belongs to another source.
   */
  forget(
    source: string,
    outputs: readonly string[],
    given: readonly OutputRecord[],
    isGone: boolean,
  ): Promise<void>;
  /**
   * Notes that a preset asks for these outputs as outputs of these variants, or no longer asks for them. A second call
   * changes nothing.
   */
  ask(preset: string, outputs: readonly AskedName[], isAsked: boolean): Promise<void>;
  /**
   * Notes with sources that they are missing, unless that is noted. A job that records the source drops the note. A second
   * call changes nothing.
   */
  noteMissing(sources: readonly string[]): Promise<void>;
  /** Drops these notes. A second call changes nothing. */
  noteFound(sources: readonly string[]): Promise<void>;
  /** The sources below a folder that are noted as missing, with the highest `order` of outputs at that time. */
  notedMissing(folder: string): Promise<ReadonlyMap<string, number>>;
  /** Records the ctimes of sources that have none yet, and leaves the others alone. A second call changes nothing. */
  addCtimes(seen: readonly Pick<SourceRecord, 'path' | 'ctime'>[]): Promise<void>;
}

type AskedName = Pick<NameRecord, 'path' | 'source' | 'variant'>;

/** Two settings digests of one variant: of an older version, and of this one. */
export interface RenamedSettings {
  readonly from: string;
  readonly to: string;
}

/** What one call of `lookup` has read. */
export interface Lookup {
  source(path: string): SourceRecord | undefined;
  output(path: string): NameRecord | undefined;
  /** Whether a source in work holds this name and nothing is recorded under it: a file there may be its output. */
  isInWork(path: string): boolean;
}

/** The key by which an index compares output names: equal for names that a case-folding disk treats as one. */
export type FoldName = (path: string) => string;
