import type {
  AboutImage,
  Failure,
  Image,
  ImageJob,
  ImageState,
  PixelSize,
  Preset,
  StoredOutput,
  Timings,
  UploadBatch,
  UploadedFacts,
} from '../model.ts';

/**
 * The record of uploads: images, their jobs and outputs, quotas and idempotency keys. One object with four concerns. Each
 * method is one atomic step, safe against other processes, and durable once it resolves where nothing else is said. A step
 * that throws has changed nothing, except after `index_unusable`: then it may have been recorded. The time is that of the
 * store's clock. Errors of every method: `index_unusable`, `index_newer`, `no_space`; `internal` for rows that break a rule
 * of the record.
 */
export interface Store extends Uploads, Queue, Images, Upkeep {
  /** Closes the store. A second call does nothing. */
  close(): Promise<void>;
}

/** Acceptance of uploads. */
export interface Uploads {
  /**
   * Records a batch with its images, which wait for a worker from now on, and counts them against the quota: all of it or
   * nothing. `over_quota` accepts and counts nothing. A request with the key of an earlier one gets that one's answer, and
   * is neither recorded nor counted; with another fingerprint it is `key_reused`.
   */
  accept(upload: NewUpload): Promise<Accepted>;
  /** The answer to an earlier request with this key, before anything is read of the new one. Undefined without one. */
  replay(owner: string, key: Pick<RequestKey, 'route' | 'key'>): Promise<Replay | undefined>;
  /** How much of its quota an owner has left. Counts nothing. Need not be durable. */
  quota(owner: string, rule: QuotaRule): Promise<Quota>;
  /** Counts uploads that were refused, at most up to the limit: bad files must not be free of charge. */
  countRefused(owner: string, uploads: number, rule: QuotaRule): Promise<Quota>;
  /** Forgets what an owner has uploaded in this window. A second call changes nothing. */
  resetQuota(owner: string): Promise<void>;
}

/** Most uploads of an owner in a fixed window of this many milliseconds. */
export type QuotaRule = { readonly uploads: number; readonly window: number };

/** `resetAt` in milliseconds since 1970. A clock that is set back neither opens nor prolongs a window. */
export type Quota = { readonly limit: number; readonly remaining: number; readonly resetAt: number };

/** The `Idempotency-Key` of a request. */
export interface RequestKey {
  readonly route: string;
  readonly key: string;
  /** Lower-case hex SHA-256 of all that the request asks for. */
  readonly fingerprint: string;
  /** The answer that a repeated request gets, as JSON. */
  readonly body: string;
}

export type Replay = Pick<RequestKey, 'fingerprint' | 'body'>;

export interface NewUpload extends Pick<UploadBatch, 'id' | 'owner' | 'bucket' | 'preset'> {
  /** Images of higher priority are taken first. */
  readonly priority: 0 | 1;
  /** At least one. */
  readonly images: readonly NewImage[];
  /** Null without a limit. */
  readonly quota: QuotaRule | null;
  /** Null without an `Idempotency-Key`. */
  readonly key: RequestKey | null;
}

/** An uploaded file. With an `error` its image is `failed` from the start. */
export interface NewImage extends Pick<Image, 'id' | 'job' | 'name' | 'metadata' | 'uploaded'> {
  /** The key of the staged bytes. Null for a refused file. */
  readonly staged: string | null;
  readonly error: Failure | null;
}

export type Accepted =
  | { readonly type: 'accepted'; readonly quota: Quota | null }
  | { readonly type: 'replayed'; readonly body: string; readonly quota: Quota | null }
  | { readonly type: 'over_quota'; readonly quota: Quota }
  | { readonly type: 'key_reused' };

/** Work in hand. */
export interface Queue {
  /**
   * Takes up to `limit` images that wait and are due, by priority and age, and makes them `processing`. Each call takes
   * others. Need not be durable.
   */
  take(worker: string, limit: number): Promise<Claim[]>;
  /**
   * Counts the attempt. Call it just before something reads the bytes of the image: they may end the whole process, and
   * images that only wait must not be blamed for that. Returns false for a lost claim. A second call changes nothing.
   */
  begin(claim: Claim): Promise<boolean>;
  /** Of these claims, those that are no longer the worker's: cancelled, deleted, or taken by another worker. */
  lost(claims: readonly Claim[]): Promise<Claim[]>;
  /**
   * Ends an attempt and records what was made. The attempt counts, even if `begin` was not called. `taken`: another attempt
   * has the image. `gone`: the image was cancelled or deleted. Neither changes anything.
   */
  settle(claim: Claim, end: ImageEnd): Promise<'settled' | 'taken' | 'gone'>;
  /**
   * Ends a batch, if nothing of it is open. Returns whether this call ended it. A step of its own, after `settle`. Every
   * other step ends the batches that it leaves without open images. Need not be durable, if `recover` ends such batches.
   */
  endBatch(batch: string): Promise<boolean>;
  /** Makes claims wait again. The attempt does not count. Lost claims are ignored. */
  giveBack(claims: readonly Claim[]): Promise<void>;
  /**
   * Images with an attempt that has begun and came to no end: storage may have outputs of theirs that no row names. Only
   * for a store that one process holds, at its start. `recover` forgets those that nobody will process.
   */
  unended(): Promise<AboutImage[]>;
  /**
   * Makes all images wait again whose worker is gone, and ends the batches of which nothing is open: only for a store that
   * one process holds, at its start. Attempts that have begun count. After three of them in a row without an end, the image
   * fails as `worker_crashed` instead.
   */
  recover(): Promise<RecoveredImages>;
}

export interface RecoveredImages {
  /** Number of the images that wait again. */
  readonly waiting: number;
  readonly crashed: readonly Image[];
}

/** An image in a worker's hands. */
export interface Claim extends AboutImage, Pick<Image, 'name'> {
  /** Number that this attempt has or gets, from 1. After `retry`, attempts are counted from 1 again. */
  readonly attempt: number;
  /** How often the image has been taken so far, which nothing resets: a claim with an earlier number has no effect. */
  readonly taken: number;
  readonly preset: Preset;
  /** The key of the staged bytes. Null when they are gone. */
  readonly staged: string | null;
  readonly uploaded: UploadedFacts;
}

export type ImageEnd =
  | {
      readonly state: 'completed' | 'duplicate';
      readonly picture: PixelSize & { readonly format: string };
      readonly dominantColor: string | null;
      readonly degraded: boolean;
      readonly duplicateOf: string | null;
      readonly outputs: readonly StoredOutput[];
      readonly ms: Timings;
    }
  | { readonly state: 'failed'; readonly error: Failure; readonly ms: Timings | null }
  /** Another attempt in `delay` milliseconds, at most 600,000: a clock that is set back must not prolong a wait. */
  | { readonly state: 'retrying'; readonly error: Failure; readonly delay: number };

/** Whose images a request may see: those of one owner, or all. */
export type Viewer = { readonly owner: string } | 'all';

/** A batch, or the image with this job. */
export type BatchOrJob = { readonly batch: string } | { readonly job: string };

/** Images and batches as requests see them. What a viewer may not see does not exist for the viewer. */
export interface Images {
  image(viewer: Viewer, id: string): Promise<Image | undefined>;
  /** The image with this job. */
  imageOfJob(viewer: Viewer, job: string): Promise<Image | undefined>;
  /** The same image without the rest: clients ask for the state of a job again and again, and nothing else as often. */
  jobOf(viewer: Viewer, job: string): Promise<ImageJob | undefined>;
  /** Those images of the list that exist, in any order. */
  images(viewer: Viewer, ids: readonly string[]): Promise<Image[]>;
  batchOf(viewer: Viewer, id: string): Promise<UploadBatch | undefined>;
  /**
   * Up to `limit` images of a batch in the order of their upload, after the image `after`. Undefined when no image of this
   * batch has this id, perhaps because it was deleted. Empty for an unknown batch without `after`.
   */
  imagesOf(viewer: Viewer, batch: string, after: string | null, limit: number): Promise<Image[] | undefined>;
  /** Cancels what has not ended, and returns these images. Undefined when there is no such batch or job. */
  cancel(viewer: Viewer, what: BatchOrJob): Promise<AboutImage[] | undefined>;
  /**
   * Makes failed and cancelled images wait again, with their attempts counted anew, and returns the number of those that
   * wait. An image whose staged bytes are gone fails as `source_missing` and is not among them. Undefined when there is no
   * such batch or job.
   */
  retry(viewer: Viewer, what: BatchOrJob): Promise<number | undefined>;
  /** Hides an image from all requests, and from its worker. Undefined when there is no such image. */
  remove(viewer: Viewer, id: string): Promise<(HiddenImage & { readonly hadEnded: boolean }) | undefined>;
  /** Removes the rows of a hidden image, once its objects are gone. A second call changes nothing. */
  dropRows(id: string): Promise<void>;
}

/** A deleted image that still has its rows. */
export interface HiddenImage extends AboutImage {
  /** The recorded keys of its objects, staged bytes included. */
  readonly keys: readonly string[];
}

/** What a worker and the operator ask for. */
export interface Upkeep {
  /** An earlier image of this owner with these bytes, and its outputs with any of these settings digests. */
  made(owner: string, digest: string, settings: readonly string[]): Promise<Made | undefined>;
  /** Takes longer the more images there are. */
  stats(): Promise<StoreStats>;
  /** Number of images that wait for a worker. */
  waiting(): Promise<number>;
  /** The images that failed last, newest first. */
  failed(limit: number): Promise<Image[]>;
  /** The keys of this list that a row refers to. */
  referred(keys: readonly string[]): Promise<string[]>;
  /**
   * Drops old rows: keys of requests, trails, quotas of past windows. Forgets the staged bytes of images that failed or were
   * cancelled before `failedBefore` (milliseconds since 1970), so that no retry waits for them. Returns what storage must
   * still remove: these bytes, and hidden images without the oldest `passed` of them.
   */
  sweep(failedBefore: number, passed: number): Promise<Swept>;
  /** Records in which folder the objects are, instead of an earlier folder, for those who look at the store later. */
  recordStorage(folder: string): Promise<void>;
}

export interface Swept {
  readonly staged: readonly string[];
  readonly removed: readonly HiddenImage[];
  /** Whether there are more old rows than one step drops. */
  readonly isMore: boolean;
}

export interface Made extends Pick<Image, 'id' | 'dominantColor' | 'picture' | 'degraded'> {
  readonly outputs: readonly StoredOutput[];
}

export interface StoreStats {
  readonly states: Readonly<Record<ImageState, number>>;
  /** Images completed in the last 24 hours, and the mean of their times in milliseconds. */
  readonly completedLately: number;
  readonly meanMs: number | null;
  readonly images: number;
  readonly jobs: number;
}
