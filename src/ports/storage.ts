import type { FileFacts } from '../model.ts';
import type { DeadRun } from './runs.ts';

/**
 * Where outputs live. Nothing is ever visible under its final name before it is whole and durable.
 * Errors: `no_space`, `not_writable`, `output_exists`, `io`.
 */
export interface Storage {
  /** What is under these names without opening them; null where nothing is. A link or a folder is `foreign`. */
  stat(paths: readonly string[]): Promise<(FileFacts | 'foreign' | null)[]>;

  /** What is `foreign` under this name, in words: `a folder`, `a link`, `a pipe`, `a socket` or `a device`. */
  kindAt(path: string): Promise<string>;

  /** What makes a folder look as if its disk were not mounted. Null when nothing does, or nobody can tell. */
  lackOf(folder: string): Promise<'is not there' | 'is empty' | null>;

  /** Lower-case hex SHA-256 of a stored file's bytes; null where there is none. */
  checksum(path: string): Promise<string | null>;

  /** A place to write that will become `path`. */
  stage(path: string): Promise<Staged>;

  /**
   * The bytes of one stored file staged under a second name: the same file where `how` is `link`, that can be, and a new
   * file there would have the same owner, group and mode.
   */
  stageFrom(from: string, path: string, how: 'link' | 'copy'): Promise<Staged>;

  /**
   * Makes staged files visible, durable in this order: bytes, names, folders. One that may not `replace` what is
   * there fails with `output_exists`; new names given before it are taken back.
   */
  commit(staged: readonly Staged[]): Promise<FileFacts[]>;

  /** Makes files that got these names from elsewhere as durable as those that were committed. */
  sync(paths: readonly string[]): Promise<void>;

  /**
   * Removes stored files; then folders left empty by that, as far as they lie below `emptyBelow`. One that is not there
   * is no error.
   */
  remove(paths: readonly string[], emptyBelow: string | null): Promise<void>;

  /** Checks that outputs can be written here, making nothing. */
  prepare(out: string): Promise<void>;

  /**
   * Removes what dead runs left staged beside their paths, where that can be reached; what could not be removed. Never
   * touches a live run's, and never fails.
   */
  sweep(dead: readonly DeadRun[]): Promise<string[]>;
}

/** An output being written. */
export interface Staged {
  /** Where to write; on the same file system as the final name. */
  readonly path: string;
  readonly final: string;
  /** Whether a file already under the final name may be replaced. */
  replace: boolean;
  /** Whether its bytes are known to be durable, so that `commit` need not see to it. */
  durable: boolean;
  /** Removes it; may be called after `commit` and twice. */
  discard(): Promise<void>;
}
