import type { Digested, Inspected, Order, PictureFacts, Rendered, RendererFacts } from '../model/picture.ts';
import type { ChildrenSpent, Limits, RenderProgress, SourceFile, Variant } from '../model.ts';

/**
 * Renders pictures in child processes. Errors of `open` and `render`: those that a child reports about the source, the
 * picture and the staged files, with any code; `timeout`, `worker_crashed` and `out_of_memory` for the child itself;
 * `cancelled` after `kill`.
 */
export interface Renderer {
  /**
   * Reads a source once: recognises it, checks its limits and digests it. Waits for a free slot. `variants` are the
   * outputs that are wanted: the estimate of `memory` depends on them, and without them assumes the whole picture.
   * Errors: also `source_outside`, when the opened file is outside the bounds of the source; those of `begin`.
   */
  open(
    source: SourceFile,
    limits: Limits,
    variants?: readonly Variant[],
    control?: OpenControl,
  ): Promise<Opened>;
  /**
   * Reads and decodes a stored picture once, and changes nothing. Waits for a free slot. `timeout` in milliseconds.
   * Once `signal` aborts, the slot is free, and the call rejects with `cancelled`. Errors: those of `open` without its limits.
   */
  inspect(path: string, timeout: number, signal?: AbortSignal): Promise<Inspected>;
  /**
   * Digests small files, in their order, without decoding them. Null for a file that cannot be read this way: `open`
   * gives the reason. Waits for a free slot. `timeout` in milliseconds, for all files. `signal` as in `inspect`.
   */
  digest(sources: readonly SourceFile[], timeout: number, signal?: AbortSignal): Promise<(Digested | null)[]>;
  /** Prepares for work that is sure to come, without waiting. May be called twice. */
  warm(): void;
  /** Describes what decodes and encodes here. */
  about(): Promise<RendererFacts>;
  /** How the child processes spent their time so far. */
  spent(): ChildrenSpent;
  /** Ends all work at once. Open pictures reject with `cancelled`. May be called twice. */
  kill(): void;
  /** Closes when idle. May be called twice. */
  close(): Promise<void>;
}

export interface OpenControl {
  /** Is called once a child is free, and awaited before it reads the source. */
  readonly begin?: (() => Promise<void>) | undefined;
  /** Once it aborts, no child reads the source any more, the slot is free, and the call rejects with `cancelled`. */
  readonly signal?: AbortSignal | undefined;
}

/** A source in memory. The bytes that were digested are the bytes that are decoded. */
export interface Opened extends PictureFacts {
  /**
   * Renders all variants, each into its staged file. Decodes once for all that share a base. A picture that takes long
   * reports its `progress` after each output.
   */
  render(orders: readonly Order[], progress?: (made: RenderProgress) => void): Promise<Rendered>;
  /** Frees the slot. May be called twice, and while rendering fails. */
  close(): void;
}
