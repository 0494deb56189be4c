import type { ErrorCode } from '../errors.ts';
import type { AboutImage, Failure, Image, ImageState, Timings } from '../model.ts';

/** Something that happened in the service, as data. Metrics and log are two readers of these events. */
export type ServeEvent = UploadEvent | ImageEvent | ServiceEvent;

type UploadEvent = UploadAccepted | RequestRefused;
type ImageEvent =
  | ImageStarted
  | ImageRetrying
  | ImageGivenBack
  | ImageDropped
  | ImageEnded
  | ImageCancelled
  | ImageDeleted;
type ServiceEvent = UploadBatchEnded | Recovered | Paused | SweepEnded | ServeWarning;

/** The fields that say which image an event is about. */
export function aboutImage({ id, job, batch, owner, bucket }: AboutImage): AboutImage {
  return { id, job, batch, owner, bucket };
}

/** A request for uploads was accepted. */
interface UploadAccepted extends Pick<Image, 'batch' | 'owner' | 'bucket'> {
  readonly type: 'upload.accepted';
  /** Images that wait for the worker, and their bytes. */
  readonly images: number;
  readonly bytes: number;
  /** Number of files of the request that are refused, and the code of each. */
  readonly refused: number;
  readonly codes: readonly string[];
}

/** A request was refused, or what arrived was not HTTP. */
export interface RequestRefused {
  readonly type: 'request.refused';
  readonly code: ErrorCode;
  /** Why a token does not count, which the answer never says. Null for other refusals. */
  readonly reason: string | null;
  readonly status: number;
  /** Null for what is no request. */
  readonly method: string | null;
  /** The pattern of its address. Null for an address that does not exist. */
  readonly route: string | null;
  readonly isUpload: boolean;
  /** Null where no token says it. */
  readonly owner: string | null;
  /** The address of the client: the one that a proxy names, if the settings trust this proxy. */
  readonly client: string | null;
}

interface ImageStarted extends AboutImage {
  readonly type: 'image.started';
  /** Number of this attempt, from 1. */
  readonly attempt: number;
}

/** An attempt failed, and the next one begins in `delay` milliseconds. */
interface ImageRetrying extends AboutImage {
  readonly type: 'image.retrying';
  readonly attempt: number;
  readonly delay: number;
  readonly error: Failure;
}

/** A claim was given up, and its attempt does not count: the service stops, or no image could succeed now. */
interface ImageGivenBack extends AboutImage {
  readonly type: 'image.given_back';
}

/** An image was cancelled or deleted while it was in work. */
interface ImageDropped extends AboutImage {
  readonly type: 'image.dropped';
}

export interface ImageEnded extends AboutImage {
  readonly type: 'image.ended';
  readonly state: Extract<ImageState, 'completed' | 'duplicate' | 'failed'>;
  readonly attempt: number;
  /** Bytes of the upload. */
  readonly bytes: number;
  /** Number of its outputs, and their bytes. */
  readonly outputs: number;
  readonly outputBytes: number;
  readonly ms: Timings | null;
  /** Null for an image that did not fail. */
  readonly error: Failure | null;
}

/** A request has cancelled an image that waited or was in work, or has deleted it before it had ended. */
interface ImageCancelled extends AboutImage {
  readonly type: 'image.cancelled';
}

interface ImageDeleted extends AboutImage {
  readonly type: 'image.deleted';
}

/**
 * The worker has ended the last image of a batch. There is no such event for a batch that ends in another way: by a request,
 * by another command or at the start.
 */
interface UploadBatchEnded {
  readonly type: 'batch.ended';
  readonly batch: string;
}

/** At the start: so many images of a process that is gone wait again, or have failed because they ended it too often. */
interface Recovered {
  readonly type: 'recovered';
  readonly images: number;
}

/** The worker takes no images for `delay` milliseconds, because of an error that no image could avoid. */
interface Paused {
  readonly type: 'paused';
  readonly delay: number;
  readonly error: Failure;
}

/** What a sweep removed: staged bytes of ended images, deleted images, and staged bytes that no image refers to. */
interface SweepEnded {
  readonly type: 'swept';
  readonly staged: number;
  readonly images: number;
  readonly orphans: number;
}

export interface ServeWarning {
  readonly type: 'warning';
  readonly message: string;
  readonly fix?: string;
}
