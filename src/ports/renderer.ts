import type {
  ChildrenSpent,
  Digested,
  Engine,
  Inspected,
  Limits,
  Order,
  PictureFacts,
  Rendered,
  SourceFile,
  Variant,
} from '../model.ts';

/**
 * Renders pictures. Errors of `open` and `render`: not_an_image, unsupported_format, corrupt, too_large,
 * too_many_frames, out_of_memory, timeout, worker_crashed, source_*, and those of writing; `cancelled` after `kill`.
 */
export interface Renderer {
  /**
   * Reads a source once: recognises it, checks its limits, digests it. Waits for a free place. `variants` are those it
   * is wanted for, and what its `memory` is estimated by; without them, by decoding it whole. Rejects with
   * `source_outside` when the file that was opened lies outside the source's bounds.
   */
  open(source: SourceFile, limits: Limits, variants?: readonly Variant[]): Promise<Opened>;

  /**
   * Reads a stored picture once and decodes it as a whole, changing nothing; `timeout` in milliseconds. Waits for a
   * free place. Errors: those of `open`, save what its limits refuse.
   */
  inspect(path: string, timeout: number): Promise<Inspected>;

  /**
   * What small files hold now, in their order, without looking at their pictures; null for one that cannot be read so,
   * of which `open` says why. Waits for a free place; `timeout` in milliseconds, for all.
   */
  digest(sources: readonly SourceFile[], timeout: number): Promise<(Digested | null)[]>;

  /** Gets ready for work that is sure to come, without waiting for it. */
  warm(): void;

  /** What decodes and encodes here. */
  about(): Promise<Engine>;

  /** Where the time of the processes behind it went until now. */
  spent(): ChildrenSpent;

  /** Ends all work at once; open pictures reject with `cancelled`. */
  kill(): void;

  /** Lets go of everything when idle. May be called twice. */
  close(): Promise<void>;
}

/** A source held in memory: the bytes that were digested are the bytes that are decoded. */
export interface Opened extends PictureFacts {
  /** Renders all variants, each into its staged file, decoding once for all that share a base. */
  render(orders: readonly Order[]): Promise<Rendered>;

  /** Gives the place back. May be called twice, and while rendering fails. */
  close(): void;
}
