import type { FileFacts } from '../model.ts';
import type { DeadRun } from './runs.ts';

/**
 * Where outputs live. Nothing is visible under its final name before it is complete and durable. Methods without
 * another note may be called twice. Errors: `no_space`, `not_writable`, `output_exists`,
 * `output_unreadable`, `io`.
 */
export interface Storage {
  /** Facts about files, from a stat. Null where nothing is; `foreign` for a link, a folder or a device. */
  stat(paths: readonly string[]): Promise<(FileFacts | 'foreign' | null)[]>;
  /** The kind of a foreign file in words: `a folder`, `a link`, `a pipe`, `a socket` or `a device`. */
  kindAt(path: string): Promise<string>;
  /** The path that a name of a file leads to when all links among its folders are followed. */
  realPath(path: string): Promise<string>;
  /** Why the disk of a folder may not be mounted. Null when nothing says so, or when the system does not tell. */
  lackOf(folder: string): Promise<'is not there' | 'is empty' | null>;
  /** Lower-case hex SHA-256 of the bytes of a stored file. Null where there is none. */
  checksum(path: string): Promise<string | null>;
  /** Creates a staged file that `commit` moves to `path`. Each call creates a new one. */
  stage(path: string): Promise<Staged>;
  /**
   * Stages a stored file under a second name. Each call creates a new staged file. With `link` it is the same file, if the
   * disk allows it and a new file there would have the same owner, group and mode. Otherwise it is a copy.
   */
  stageFrom(from: string, path: string, how: 'link' | 'copy'): Promise<Staged>;
  /**
   * Makes staged files visible and durable, in this order: bytes, names, folders. Call it once for each staged file. If
   * another file than `replace` is under a name by then, it fails with `output_exists`; new names are taken back.
   */
  commit(staged: readonly Staged[]): Promise<FileFacts[]>;
  /**
   * Gives a stored file a modification time in nanoseconds since 1970, and returns its new facts. Where its file has other
   * names, it becomes a file of its own first: those keep their time.
   */
  setTime(path: string, modified: string): Promise<FileFacts>;
  /** Makes files durable that got these names in another way. */
  sync(paths: readonly string[]): Promise<void>;
  /**
   * Removes stored files, then the folders below `emptyBelow` that this leaves empty. A missing file is no error. Stops at
   * the first file that cannot be removed, and returns why, with the files that are gone.
   */
  remove(
    paths: readonly string[],
    emptyBelow: string | null,
  ): Promise<{ readonly removed: string[]; readonly error?: Error }>;
  /**
   * Checks that outputs can be written here, and makes nothing. Returns the bytes of the longest name that the disk
   * allows: 255, or fewer.
   */
  prepare(out: string): Promise<number>;
  /**
   * Removes the staged files of dead runs. Storage keeps no list of them: they are beside the outputs of each run.
   * Returns the paths that could not be removed. Never touches a live run, and never fails.
   */
  sweep(dead: readonly DeadRun[]): Promise<string[]>;
}

/** An output being written. */
export interface Staged {
  /** The path to write to, on the same file system as the final name. */
  readonly path: string;
  readonly final: string;
  /** The file under the final name that it may replace, as it was seen; null for none. */
  replace: FileFacts | null;
  /** The modification time that `commit` gives it, in nanoseconds since 1970; null for none. */
  modified: string | null;
  /** Whether its bytes are durable already, so that `commit` need not sync them. */
  durable: boolean;
  /** Removes the staged file. May be called twice, and after `commit`. */
  discard(): Promise<void>;
}
