import type { Variant } from '../variants/fields.ts';
import type { SourceFacts } from './records.ts';

// Requests to the child processes and their answers: data that crosses a process boundary as JSON.

/** A source to open. */
export interface SourceFile {
  /** Absolute. */
  readonly path: string;
  /** Null for a file that the user named. Such a file is read wherever its path leads. */
  readonly bounds: Bounds | null;
}

/** Where a source found in a folder must be. Otherwise it is not read. */
export interface Bounds {
  /** Absolute paths of folders, with links resolved. The opened file must be in one of them. */
  readonly within: readonly string[];
  /** Whether the path may lead through a symbolic link. */
  readonly follow: boolean;
}

/** Facts and digest of any file, picture or not. */
export interface Digested {
  readonly facts: SourceFacts;
  /** Lower-case hex SHA-256. */
  readonly digest: string;
}

/** Facts about a source from its bytes. */
export interface PictureFacts extends Digested {
  readonly format: string;
  /** Pixels of the upright picture. */
  readonly width: number;
  readonly height: number;
  /** Bytes of memory that rendering may take, estimated from the header: for the file, decoded pixels and outputs. */
  readonly memory: number;
  /** Milliseconds of reading and digesting. */
  readonly ms: number;
}

/** A variant to render. */
export interface Order {
  readonly variant: Variant;
  /** The staged file to write; it does not exist yet. */
  readonly path: string;
}

export interface RenderedOutput {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
  /** Lower-case hex SHA-256 of the bytes written. */
  readonly checksum: string;
  /** The size in pixels that the variant asks for, when its format cannot hold that size and the output is smaller. */
  readonly asked?: { readonly width: number; readonly height: number };
}

export interface Rendered {
  /** In the order of the orders. */
  readonly outputs: readonly RenderedOutput[];
  /** `#rrggbb` of the smallest variant. */
  readonly dominantColor: string;
  /** Versions of the libraries that encoded. */
  readonly encoder: string;
  /** True when a damaged picture was accepted because the limits are lenient. */
  readonly degraded: boolean;
  readonly ms: RenderTimes;
}

/** Milliseconds. */
export interface RenderTimes {
  readonly decode: number;
  /** From the end of decoding to the end. */
  readonly encode: number;
  /** Parts of encoding. `resize` and `write` are summed over parallel work. */
  readonly resize: number;
  readonly write: number;
  readonly color: number;
}

/** The facts about a stored picture after a full decode. */
export interface Inspected {
  readonly format: string;
  /** Pixels, as they are stored. */
  readonly width: number;
  readonly height: number;
  /** Names of its metadata (`exif`, `xmp`, `iptc`, `icc`, `comment` …), in this order; empty without metadata. */
  readonly metadata: readonly string[];
}

/** The libraries that decode and encode, and their formats. */
export interface RendererFacts {
  /** Versions by name of the library. */
  readonly versions: Readonly<Record<string, string>>;
  readonly reads: readonly string[];
  readonly writes: readonly string[];
}
