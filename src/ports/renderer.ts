import type { FileFacts, Limits, Variant } from '../model.ts';

/**
 * Renders pictures. Errors of `open` and `render`: not_an_image, unsupported_format, corrupt, too_large, timeout,
 * worker_crashed, source_*, and those of writing; `cancelled` after `kill`.
 */
export interface Renderer {
  /** Reads a source once: recognises it, checks its limits, digests it. Waits for a free place. */
  open(source: string, limits: Limits): Promise<Opened>;

  /** Gets ready for work that is sure to come, without waiting for it. */
  warm(): void;

  /** What decodes and encodes here. */
  about(): Promise<Engine>;

  /** Ends all work at once; open pictures reject with `cancelled`. */
  kill(): void;

  /** Lets go of everything when idle. May be called twice. */
  close(): Promise<void>;
}

export interface Engine {
  /** Of the libraries, by their names. */
  readonly versions: Readonly<Record<string, string>>;
  /** Formats. */
  readonly reads: readonly string[];
  readonly writes: readonly string[];
}

/** A source held in memory: the bytes that were digested are the bytes that are decoded. */
export interface Opened {
  /** Facts of the file the bytes came from. */
  readonly facts: FileFacts;
  readonly digest: string;
  readonly format: string;
  /** Pixels of the upright picture. */
  readonly width: number;
  readonly height: number;
  /** Milliseconds of reading and digesting. */
  readonly ms: number;

  /** Renders all variants from one decode, each into its staged file. */
  render(orders: readonly Order[]): Promise<Rendered>;

  /** Gives the place back. May be called twice, and while rendering fails. */
  close(): void;
}

export interface Order {
  readonly variant: Variant;
  /** The staged file to write; it does not exist yet. */
  readonly path: string;
}

export interface Rendered {
  /** In the order they were ordered. */
  readonly outputs: readonly {
    readonly width: number;
    readonly height: number;
    readonly bytes: number;
    /** Lower-case hex SHA-256 of the bytes written. */
    readonly checksum: string;
  }[];
  /** `#rrggbb` of the smallest variant. */
  readonly dominantColor: string;
  readonly encoder: string;
  /** True when a damaged picture was accepted because the limits are lenient. */
  readonly degraded: boolean;
  readonly ms: { readonly decode: number; readonly encode: number };
}
