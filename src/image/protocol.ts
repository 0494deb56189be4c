import type {
  Digested,
  Failure,
  Inspected,
  Limits,
  Order,
  PictureFacts,
  Rendered,
  RendererFacts,
  RenderProgress,
  SourceFile,
  Variant,
} from '../model.ts';

/** JSON messages between parent and child process. A child holds one picture and handles one request at a time. */
export type Request =
  | {
      readonly type: 'open';
      readonly source: SourceFile;
      readonly limits: Limits;
      readonly variants: readonly Variant[];
    }
  /** At most `atOnce` outputs are encoded at the same time. */
  | { readonly type: 'render'; readonly orders: readonly Order[]; readonly atOnce: number }
  | { readonly type: 'release' }
  | { readonly type: 'inspect'; readonly path: string }
  | { readonly type: 'digest'; readonly sources: readonly SourceFile[] }
  | { readonly type: 'about' };

/** `ready` follows the loading of the libraries, `resting` each release. Other requests get a result or an error. */
export type Reply =
  | { readonly type: 'ready' }
  /** Resident memory of the child process after the release, in bytes. */
  | { readonly type: 'resting'; readonly memory: number }
  | { readonly type: 'opened'; readonly picture: PictureFacts }
  /** Comes any number of times before `rendered`. */
  | ({ readonly type: 'progress' } & RenderProgress)
  | { readonly type: 'rendered'; readonly rendered: Rendered }
  | { readonly type: 'inspected'; readonly inspected: Inspected }
  | { readonly type: 'digested'; readonly digested: (Digested | null)[] }
  | { readonly type: 'about'; readonly engine: RendererFacts }
  | { readonly type: 'failed'; readonly error: Failure };

export type Message = Reply & {
  /** Milliseconds since the request arrived, and CPU milliseconds since the start. Absent without a request. */
  readonly took?: { readonly ms: number; readonly cpu: number };
};
