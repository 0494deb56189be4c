import type { Format } from '../variants/fields.ts';

/** What a file system says of a regular file without reading it. */
export interface FileFacts {
  /** Bytes. */
  readonly size: number;
  /** Nanoseconds since 1970, decimal; a string, since neither JSON nor a double holds it. */
  readonly mtime: string;
  readonly ino: string;
}

/** The same of a source. */
export interface SourceFacts extends FileFacts {
  /**
   * When the file or its inode last changed, in nanoseconds as `mtime`: no program can set it. Null where it is not
   * known, or must not be compared.
   */
  readonly ctime: string | null;
}

/** What the index remembers of a source. Without a ctime, it was recorded before that was looked at. */
export interface SourceRecord extends SourceFacts {
  /** Absolute path. */
  readonly path: string;
  readonly digest: string;
  /** Pixels of the upright picture. */
  readonly width: number;
  readonly height: number;
  readonly format: string;
  /** `#rrggbb`; null when no variant of it was rendered yet. */
  readonly dominantColor: string | null;
  /** Milliseconds since 1970 at which the facts were taken. */
  readonly seenAt: number;
}

/** An output that was made: its owner, what it was made from and how, and the file as it was left. */
export interface OutputRecord extends FileFacts {
  /** Absolute path: the storage key. */
  readonly path: string;
  /** Absolute path of the source that owns it. */
  readonly source: string;
  readonly variant: string;
  readonly settings: string;
  /** Digest of the source's bytes it was rendered from. */
  readonly digest: string;
  readonly format: Format;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Lower-case hex SHA-256 of the output's own bytes. */
  readonly checksum: string;
  /** Versions of the libraries that encoded it. */
  readonly encoder: string;
}

/** A name held for a source under which nothing is made yet; with a digest, a duplicate that was skipped. */
export interface Reservation {
  readonly path: string;
  readonly source: string;
  readonly checksum: null;
  readonly settings: string | null;
  readonly digest: string | null;
  readonly variant: string | null;
}
