import type {
  Digested,
  Failure,
  Inspected,
  Limits,
  Order,
  PictureFacts,
  Rendered,
  RendererFacts,
  SourceFile,
  Variant,
} from '../model.ts';

/** What parent and child say to each other; JSON. A child holds one picture, and answers one request at a time. */
export type Request =
  | {
      readonly type: 'open';
      readonly source: SourceFile;
      readonly limits: Limits;
      readonly variants: readonly Variant[];
    }
  /** At most `atOnce` outputs are encoded side by side. */
  | { readonly type: 'render'; readonly orders: readonly Order[]; readonly atOnce: number }
  | { readonly type: 'release' }
  | { readonly type: 'inspect'; readonly path: string }
  | { readonly type: 'digest'; readonly sources: readonly SourceFile[] }
  | { readonly type: 'about' };

/**
 * `ready` once the libraries are loaded; `resting` after every release; every other request is answered by its result
 * or an error.
 */
export type Reply =
  | { readonly type: 'ready' }
  /** Bytes of memory that the child holds although it holds no picture any more. */
  | { readonly type: 'resting'; readonly memory: number }
  | { readonly type: 'opened'; readonly picture: PictureFacts }
  | { readonly type: 'rendered'; readonly rendered: Rendered }
  | { readonly type: 'inspected'; readonly inspected: Inspected }
  | { readonly type: 'digested'; readonly digested: readonly (Digested | null)[] }
  | { readonly type: 'about'; readonly engine: RendererFacts }
  | { readonly type: 'failed'; readonly error: Failure };

/** A reply as it is sent. */
export type Message = Reply & {
  /** Milliseconds since it heard the request, and those of CPU since it was started; none where it was not asked. */
  readonly took?: { readonly ms: number; readonly cpu: number };
};
