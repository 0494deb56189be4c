/** One finding of `imgtool doctor`. */
export interface Check {
  readonly name: string;
  readonly state: 'ok' | 'warning' | 'problem';
  readonly value: string;
  readonly fix?: string | undefined;
}

/** What became of an index that was to be repaired. */
export interface Repaired {
  /** `absent` and `healthy`: nothing was touched. */
  readonly state: 'absent' | 'healthy' | 'repaired';
  readonly index: string;
  /** Where the damaged one lies now. */
  readonly movedTo: string | null;
  /** What was found wrong. */
  readonly problems: readonly string[];
  readonly saved: SavedRows;
  /** Of which not every row could be read: how many were lost nobody can know. */
  readonly incomplete: readonly (keyof SavedRows)[];
}

/** Rows that could be read; of outputs only those that were made. */
export interface SavedRows {
  readonly sources: number;
  readonly outputs: number;
  readonly batches: number;
  readonly jobs: number;
}

/** A copy of the index as it was at one moment. */
export interface Backup {
  readonly index: string;
  readonly file: string;
  readonly bytes: number;
  readonly sources: number;
  /** Those that were made. */
  readonly outputs: number;
  readonly batches: number;
}

/** The state of the index, as `doctor` shows it. */
export interface IndexHealth {
  readonly path: string;
  readonly version: number;
  /** Bytes on disk, with the write-ahead log. */
  readonly bytes: number;
  readonly sources: number;
  /** Outputs that were made. */
  readonly outputs: number;
  readonly batches: number;
  /** What is wrong with the index. Empty when it is sound. */
  readonly problems: readonly string[];
}
