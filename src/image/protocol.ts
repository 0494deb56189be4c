import type { Failure, FileFacts, Limits, Variant } from '../model.ts';

/** What parent and child say to each other; JSON. A child holds one picture, and answers one request at a time. */
export type Request =
  | { readonly type: 'open'; readonly source: string; readonly limits: Limits }
  | { readonly type: 'render'; readonly orders: readonly RenderOrder[] }
  | { readonly type: 'release' }
  | { readonly type: 'about' };

/** `ready` once the libraries are loaded; every open and render is answered by its result or an error. */
export type Reply =
  | { readonly type: 'ready' }
  | { readonly type: 'opened'; readonly picture: PictureFacts }
  | { readonly type: 'rendered'; readonly rendered: RenderedPicture }
  | { readonly type: 'about'; readonly engine: EngineFacts }
  | { readonly type: 'failed'; readonly error: Failure };

/** The port's `Engine` as it crosses the channel. */
export interface EngineFacts {
  readonly versions: Readonly<Record<string, string>>;
  readonly reads: readonly string[];
  readonly writes: readonly string[];
}

export interface PictureFacts {
  readonly facts: FileFacts;
  /** Lower-case hex SHA-256. */
  readonly digest: string;
  readonly format: string;
  /** Pixels of the upright picture. */
  readonly width: number;
  readonly height: number;
  /** Milliseconds of reading and digesting. */
  readonly ms: number;
}

export interface RenderOrder {
  readonly variant: Variant;
  /** The staged file to write; it does not exist yet. */
  readonly path: string;
}

export interface RenderedOutput {
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
  /** Lower-case hex SHA-256 of the bytes written. */
  readonly checksum: string;
}

/** The port's `Rendered` as it crosses the channel. */
export interface RenderedPicture {
  readonly outputs: readonly RenderedOutput[];
  readonly dominantColor: string;
  readonly encoder: string;
  readonly degraded: boolean;
  /** Milliseconds. */
  readonly ms: { readonly decode: number; readonly encode: number };
}
