import type { Variant } from '../variants/fields.ts';
import type { SourceFacts } from './records.ts';

/** What whoever decodes and encodes is asked, and answers: data that crosses a process boundary as JSON. */

/** A source to be opened. */
export interface SourceFile {
  /** Absolute. */
  readonly path: string;
  /** Null for a file that the user named: it is read wherever its path leads. */
  readonly bounds: Bounds | null;
}

/** Where a source that was found in a folder must lie to be read. */
export interface Bounds {
  /** Absolute paths of folders, links resolved: the opened file must lie in one of them. */
  readonly within: readonly string[];
  /** Whether the file may be reached by a symbolic link. */
  readonly follow: boolean;
}

/** What a file holds, whether a picture or not. */
export interface Digested {
  /** Facts of the file the bytes came from. */
  readonly facts: SourceFacts;
  /** Lower-case hex SHA-256. */
  readonly digest: string;
}

/** What is known of a source once its bytes were read. */
export interface PictureFacts extends Digested {
  readonly format: string;
  /** Pixels of the upright picture. */
  readonly width: number;
  readonly height: number;
  /** Bytes of memory that rendering it may take, estimated from its header: its file, what is decoded, and what comes of it. */
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
  /** Pixels that the variant asks for, where its format cannot hold so many and the output is smaller. */
  readonly asked?: { readonly width: number; readonly height: number };
}

export interface Rendered {
  /** In the order they were ordered. */
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
  /** From then on to the end. */
  readonly encode: number;
  /** Of encoding, summed over what goes on side by side. */
  readonly resize: number;
  readonly write: number;
  readonly color: number;
}

/** What a stored picture turned out to be once it was decoded as a whole. */
export interface Inspected {
  readonly format: string;
  /** Pixels, as they are stored. */
  readonly width: number;
  readonly height: number;
  /** Names of what it carries besides its pixels (`exif`, `xmp`, `iptc`, `icc`, `comment` …), in this order; empty when clean. */
  readonly metadata: readonly string[];
}

/** What decodes and encodes here. */
export interface RendererFacts {
  /** Of the libraries, by their names. */
  readonly versions: Readonly<Record<string, string>>;
  /** Formats. */
  readonly reads: readonly string[];
  readonly writes: readonly string[];
}
