import type { Format } from '../variants/formats.ts';
import type { Preset } from '../variants/presets.ts';
import type { Failure, JobState, Timings } from './jobs.ts';
import type { PixelSize } from './records.ts';

// What the service knows of uploads. The words of an upload, beside those of `model.ts`: an image is an uploaded source
// with its outputs; a bucket is a name space of images; the owner of an image is the subject of the token that sent it.

/** The states of an image's job. The service never finds an image unchanged: each upload is new. */
export type ImageState = Exclude<JobState, 'unchanged'>;

/** What is known of an uploaded file once it has arrived. */
export interface UploadedFacts {
  /** Lower-case hex SHA-256 of the uploaded bytes. */
  readonly digest: string;
  readonly bytes: number;
}

/** An output of the service, with the key of its object. Width and height in pixels. */
export interface StoredOutput extends PixelSize {
  /** Name of the variant. Several outputs of an image may share it, in different formats. */
  readonly variant: string;
  readonly format: Format;
  /** The settings digest of the variant. */
  readonly settings: string;
  readonly key: string;
  readonly bytes: number;
  /** Lower-case hex SHA-256 of the object's bytes. */
  readonly checksum: string;
  /** Versions of the libraries that encoded. */
  readonly encoder: string;
  readonly recipe: number;
}

/** An image with its job, as the store records it. Times in milliseconds since 1970. */
export interface Image {
  /** A random UUID. */
  readonly id: string;
  /** The random UUID of its job. */
  readonly job: string;
  readonly batch: string;
  readonly owner: string;
  readonly bucket: string;
  /** The name of the uploaded file, as the client gave it. */
  readonly name: string;
  readonly state: ImageState;
  /** Attempts that have begun. */
  readonly attempts: number;
  /** Null for a file that was refused before its end. */
  readonly uploaded: UploadedFacts | null;
  /** Null until a child has read the header. */
  readonly picture: (PixelSize & { readonly format: string }) | null;
  /** `#rrggbb` */
  readonly dominantColor: string | null;
  /** Whether a damaged picture was accepted as far as it could be read. */
  readonly degraded: boolean;
  /** The image with the same bytes whose outputs were copied. */
  readonly duplicateOf: string | null;
  /** What the client sent along, as the text of a JSON value. */
  readonly metadata: string | null;
  readonly ms: Timings | null;
  readonly error: Failure | null;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly completedAt: number | null;
  readonly outputs: readonly StoredOutput[];
}

/** Says which image something is about. */
export type AboutImage = Pick<Image, 'id' | 'job' | 'batch' | 'owner' | 'bucket'>;

/** What an image says of its job. */
export type ImageJob = Pick<
  Image,
  'id' | 'job' | 'state' | 'attempts' | 'error' | 'createdAt' | 'completedAt'
>;

/** The uploads of one request. Times in milliseconds since 1970. */
export interface UploadBatch {
  /** A random UUID. */
  readonly id: string;
  readonly owner: string;
  readonly bucket: string;
  readonly preset: Preset;
  readonly createdAt: number;
  readonly completedAt: number | null;
  readonly counts: Readonly<Record<ImageState, number>>;
}

/** Whether the service accepts no uploads, because less of the disk is free than the larger of a twentieth and a gigabyte. */
export const isNearlyFull = ({ free, total }: { readonly free: number; readonly total: number }): boolean =>
  free < Math.max(0.05 * total, 1e9);

/** Everything that changed the state of an image: the audit trail. */
export interface TrailEntry {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly type:
    | 'upload_initiated'
    | 'processing_started'
    | 'retrying'
    | 'given_back'
    | 'completed'
    | 'duplicate'
    | 'failed'
    | 'cancelled'
    | 'retried'
    | 'deleted';
  readonly image: string;
  readonly job: string;
  readonly batch: string;
  readonly owner: string;
  /** Further facts, such as the error's code. */
  readonly data: Readonly<Record<string, string | number>>;
}
