/** Where the time of a batch went. All times are milliseconds; of what goes on side by side they add up to more than passed. */
export interface ProfileEvent {
  readonly type: 'profile';
  readonly batch: string;
  /** Images at a time. */
  readonly jobs: number;
  /** Since the process was started. */
  readonly ms: number;
  readonly parent: ParentSpent;
  readonly children: ChildrenSpent;
  readonly pictures: PicturesSpent;
}

/** Of the process that reads the index, commits outputs and reports. */
export interface ParentSpent {
  /** From the start of the process until it could begin with the batch: loading, settings, opening. */
  readonly start: number;
  /** CPU of all its threads since it was started. */
  readonly cpu: number;
  /** Its one thread of JavaScript had something to do, since it began with the batch. */
  readonly busy: number;
  readonly index: ProfilePart;
  readonly storage: ProfilePart;
  readonly sources: ProfilePart;
  /** Telling of events. */
  readonly report: ProfilePart;
}

/** Calls that have ended, and what they took until their answer was there. */
export interface Calls {
  readonly calls: number;
  readonly ms: number;
}

export interface ProfilePart extends Calls {
  /** The same by method, or by type of event. */
  readonly of: Readonly<Record<string, Calls>>;
}

/** What the processes that decode and encode spent, as far as they have told. */
export interface ChildrenSpent {
  /** How many were started. */
  readonly started: number;
  /** CPU of all their threads since they were started, until their last answer. */
  readonly cpu: number;
  /** From their start until their libraries were loaded. */
  readonly starting: number;
  /** At work, by what they were asked (`open`, `render`, `release` …). */
  readonly asked: Readonly<Record<string, Calls>>;
  /** What they were asked, and their answers, were on the way or waited to be heard. */
  readonly travel: number;
  /** With a picture, but nothing to do for it: until it was to be rendered, and once it was. */
  readonly held: { readonly before: number; readonly after: number };
  /** Without a picture: before their first one, between two, after their last one. */
  readonly idle: { readonly first: number; readonly between: number; readonly last: number };
}

/** What pictures took, in whichever child. Resizing and writing go on side by side within encoding. */
export interface PicturesSpent {
  /** Reading and digesting. */
  readonly digest: Calls;
  readonly decode: Calls;
  /** All that comes after decoding; its calls are the outputs. */
  readonly encode: Calls;
  readonly resize: Calls;
  readonly write: Calls;
  /** Finding the dominant colour. */
  readonly color: Calls;
}
