import type { Variant } from '../variants/fields.ts';
import type { PixelSize, SourceFacts } from './records.ts';

// Requests to the child processes and their answers: data that crosses a process boundary as JSON.

/** A source to open. Without bounds, for a file that the user named, it is read wherever its absolute path leads. */
export type SourceFile = { readonly path: string; readonly bounds: Bounds | null };

/** Where a source found in a folder must be. Otherwise it is not read. */
export interface Bounds {
  /** Absolute paths of folders, with links resolved. The opened file must be in one of them. */
  readonly within: readonly string[];
  /** Whether the path may lead through a symbolic link. */
  readonly follow: boolean;
}

/** Facts of any file, picture or not, and the lower-case hex SHA-256 of its bytes. */
export type Digested = { readonly facts: SourceFacts; readonly digest: string };

/** Facts about a source from its bytes. The size is that of the upright picture, or of the first page that is asked for. */
export interface PictureFacts extends Digested, PixelSize {
  readonly format: string;
  /** Number of frames of an animation or pages of a document. */
  readonly pages: number;
  /** Bytes of memory that rendering may take, estimated from the header: for the file, decoded pixels and outputs. */
  readonly memory: number;
  /** Milliseconds of reading and digesting. */
  readonly ms: number;
}

/** The numbers of the pages that variants ask for, in ascending order. Variants of older batches name no page. */
export function askedPages(variants: readonly { readonly page?: number }[]): number[] {
  return [...new Set(variants.map(({ page = 1 }) => page))].sort((a, b) => a - b);
}

/** A variant to render, and the staged file to write, which does not exist yet. */
export type Order = { readonly variant: Variant; readonly path: string };

export interface RenderedOutput extends PixelSize {
  readonly bytes: number;
  /** Lower-case hex SHA-256 of the bytes written. */
  readonly checksum: string;
  /** The size in pixels that the variant asks for, when its format cannot hold that size and the output is smaller. */
  readonly asked?: PixelSize;
  /** What was asked to be kept, and digests of what was written, as JSON. Null without metadata. */
  readonly metadata: string | null;
}

/** How far a picture is rendered: finished outputs, and the share of their pixels in those of all outputs, from 0 to 1. */
export type RenderProgress = { readonly done: number; readonly share: number };

export interface Rendered {
  /** In the order of the orders. */
  readonly outputs: readonly RenderedOutput[];
  /** The dominant colour of the smallest variant as `#rrggbb`. Of several pages, only the first counts. */
  readonly dominantColor: string;
  /** Versions of the libraries that encoded. */
  readonly encoder: string;
  /** True when a damaged picture was accepted because the limits are lenient. */
  readonly degraded: boolean;
  readonly ms: RenderTimes;
}

/** Milliseconds. All after decoding is encoding; the others are parts of it, `resize` and `write` over parallel work. */
export type RenderTimes = Readonly<Record<'decode' | 'encode' | 'resize' | 'write' | 'color', number>>;

/** The facts about a stored picture after a full decode. The size is that of the stored pixels. */
export interface Inspected extends PixelSize {
  readonly format: string;
  /** Lower-case hex SHA-256 of the bytes that were decoded. */
  readonly checksum: string;
  /** Names of its metadata (`exif`, `xmp`, `iptc`, `icc`, `comment` …), in this order; empty without metadata. */
  readonly metadata: readonly string[];
  /** The lower-case hex SHA-256 of metadata by its name, where it can be told apart. */
  readonly digests: Readonly<Record<string, string>>;
}

/** The libraries that decode and encode, and their formats. */
export interface RendererFacts {
  /** Versions by name of the library. */
  readonly versions: Readonly<Record<string, string>>;
  readonly reads: readonly string[];
  readonly writes: readonly string[];
}
