/**
 * Bytes by key: uploads that wait, and outputs. A key is a path of plain names with `/` between them. Nothing is visible
 * under its key before it is complete and durable. Methods without another note may be called twice. Errors, which name
 * keys and no paths: `no_space`, `not_writable`, `io`; `storage_unusable` while no object could be stored or found.
 */
export interface Objects {
  /** Creates a file of this machine to write, which `commit` moves to its key. Each call creates a new one. */
  stage(key: string): Promise<StagedObject>;
  /**
   * Stages a second object with the bytes of a stored one. Errors: also `source_missing`, when its bytes do not have this
   * SHA-256 any more, too.
   */
  stageFrom(from: string, key: string, checksum?: string): Promise<StagedObject>;
  /** Makes staged objects visible and durable, in this order: bytes, names, folders. Replaces objects of the same keys. */
  commit(staged: readonly StagedObject[]): Promise<void>;
  /** The bytes of an object as a file of this machine, until `discard`. Errors: also `source_missing`. */
  fetch(key: string): Promise<FetchedObject>;
  /** Where a reader finds an object: a file of this machine, or an address to go to. Null where there is none. */
  locate(key: string): Promise<{ readonly path: string } | { readonly url: string } | null>;
  /** Removes objects, and what this leaves empty. A missing object is no error. After an error, all others are removed. */
  remove(keys: readonly string[]): Promise<void>;
  /** All objects whose keys begin with this prefix, with their time in milliseconds since 1970. */
  list(prefix: string): AsyncIterable<{ readonly key: string; readonly at: number }>;
  /** Checks that objects can be written, and removes staged files of processes that are gone. */
  prepare(): Promise<void>;
  /** Bytes that are free for objects, and bytes of the whole disk. Null where nobody can tell. */
  space(): Promise<{ readonly free: number; readonly total: number } | null>;
}

/** An object being written. */
export interface StagedObject {
  readonly path: string;
  readonly key: string;
  /** Removes the staged file. May be called twice, and after `commit`. */
  discard(): Promise<void>;
}

export interface FetchedObject {
  readonly path: string;
  discard(): Promise<void>;
}
