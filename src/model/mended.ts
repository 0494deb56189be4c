/** One finding of `imgtool doctor`. */
export interface Check {
  readonly name: string;
  readonly state: 'ok' | 'warning' | 'problem';
  readonly value: string;
  readonly fix?: string | undefined;
}

/** The result of a repair of the index. */
export interface Repaired {
  /** `absent` and `healthy`: the repair changed nothing. */
  readonly state: 'absent' | 'healthy' | 'repaired';
  readonly index: string;
  /** The new path of the damaged index. */
  readonly movedTo: string | null;
  readonly problems: readonly string[];
  readonly saved: SavedRows;
  /** Tables with unreadable rows. The number of lost rows is unknown. */
  readonly incomplete: readonly (keyof SavedRows)[];
}

/** Numbers of rows in an index. Outputs do not include reservations. */
export type KeptRows = Readonly<Record<'sources' | 'outputs' | 'batches', number>>;
export type SavedRows = KeptRows & { readonly jobs: number };

/** A consistent copy of the index. */
export interface Backup extends KeptRows {
  readonly index: string;
  readonly file: string;
  readonly bytes: number;
}

/** Numbers of rows in a store of uploads. Images that wait have not ended. */
export type KeptUploads = Readonly<Record<'images' | 'waiting' | 'outputs', number>>;

/** A consistent copy of the store of uploads. */
export interface StoreBackup extends KeptUploads {
  readonly store: string;
  readonly file: string;
  readonly bytes: number;
}

/** The state of the store of uploads, as `doctor` shows it. */
export interface StoreHealth extends KeptUploads, Omit<IndexHealth, keyof KeptRows> {
  /** Whether a service works with it. */
  readonly isServed: boolean;
  /** The folder of the objects that the last service used. Null if no service has begun. */
  readonly storage: string | null;
}

/** The state of the index, as `doctor` shows it. */
export interface IndexHealth extends KeptRows {
  readonly path: string;
  readonly version: number;
  /** Bytes on disk, with the write-ahead log. */
  readonly bytes: number;
  /** Empty when the index is sound. */
  readonly problems: readonly string[];
}
