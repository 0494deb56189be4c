/** Where the time of a batch went. All times are in milliseconds. Times of parallel work add up to more than passed. */
export interface ProfileEvent {
  readonly type: 'profile';
  readonly batch: string;
  /** Images at a time. */
  readonly jobs: number;
  /** From the start of the process. */
  readonly ms: number;
  readonly parent: ParentSpent;
  readonly children: ChildrenSpent;
  readonly pictures: PicturesSpent;
}

/** Times of the process that reads the index, commits outputs and reports events. */
export interface ParentSpent
  extends Readonly<Record<'index' | 'storage' | 'sources' | 'report', ProfilePart>> {
  /** From the start of the process to the beginning of the batch: loading, settings, opening. */
  readonly start: number;
  /** CPU time of all threads since the start of the process. */
  readonly cpu: number;
  /** Busy time of the JavaScript thread since the beginning of the batch. */
  readonly busy: number;
}

/** The number of calls that have ended, and the time until their results. */
export type Calls = { readonly calls: number; readonly ms: number };

/** `of`: calls by method or by type of event. */
export type ProfilePart = Calls & { readonly of: Readonly<Record<string, Calls>> };

/** Times of the child processes that decode and encode, up to their last answers. */
export interface ChildrenSpent {
  /** Number of started child processes. */
  readonly started: number;
  /** CPU time of all their threads, from their start to their last answer. */
  readonly cpu: number;
  /** From their start until their libraries are loaded. */
  readonly starting: number;
  /** Work by type of request (`open`, `render`, `release` …). */
  readonly asked: Readonly<Record<string, Calls>>;
  /** Requests and answers in transit or waiting to be received. */
  readonly travel: number;
  /** Idle with an open picture: before its rendering, and after it. */
  readonly held: { readonly before: number; readonly after: number };
  /** Idle without a picture: before the first one, between two, after the last one. */
  readonly idle: { readonly first: number; readonly between: number; readonly last: number };
}

/**
 * Times of pictures, over all child processes. `digest` includes reading; `encode` is everything after decoding, a call for
 * each output; `resize`, `write` and `color`, the dominant colour, are parts of it, the first two of parallel work.
 */
export type PicturesSpent = Readonly<
  Record<'digest' | 'decode' | 'encode' | 'resize' | 'write' | 'color', Calls>
>;
