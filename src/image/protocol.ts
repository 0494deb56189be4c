import type { Engine, Failure, Limits, Order, PictureFacts, Rendered } from '../model.ts';

/** What parent and child say to each other; JSON. A child holds one picture, and answers one request at a time. */
export type Request =
  | { readonly type: 'open'; readonly source: string; readonly limits: Limits }
  | { readonly type: 'render'; readonly orders: readonly Order[] }
  | { readonly type: 'release' }
  | { readonly type: 'about' };

/** `ready` once the libraries are loaded; every open and render is answered by its result or an error. */
export type Reply =
  | { readonly type: 'ready' }
  | { readonly type: 'opened'; readonly picture: PictureFacts }
  | { readonly type: 'rendered'; readonly rendered: Rendered }
  | { readonly type: 'about'; readonly engine: Engine }
  | { readonly type: 'failed'; readonly error: Failure };
