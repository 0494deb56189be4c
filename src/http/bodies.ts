import { type WordHint, wordFailure } from '../model/failures.ts';
import { JOB_STATES } from '../model/jobs.ts';
import type { Image, ImageJob, ImageState, StoredOutput, UploadBatch } from '../model.ts';
import type { StoreStats } from '../ports.ts';

/** The words of answers for the states of an image. The state itself stands beside them. */
const STATUSES = {
  pending: 'pending',
  processing: 'processing',
  retrying: 'pending',
  completed: 'completed',
  duplicate: 'completed',
  failed: 'failed',
  cancelled: 'failed',
} as const satisfies Record<ImageState, string>;

const STATES = JOB_STATES.filter((state): state is ImageState => state !== 'unchanged');

type Status = (typeof STATUSES)[ImageState];

const statusOf = (state: ImageState): Status => STATUSES[state];

const timeOf = (milliseconds: number | null) =>
  milliseconds === null ? null : new Date(milliseconds).toISOString();

export const jobPath = (job: string): string => `/api/v1/images/jobs/${job}`;
export const batchPath = (batch: string): string => `/batch/${batch}/status`;

export function jobBody(image: ImageJob, wordHint: WordHint) {
  const error = image.error && wordFailure(image.error, wordHint);
  return {
    job_id: image.job,
    image_id: image.id,
    status: statusOf(image.state),
    created_at: timeOf(image.createdAt),
    completed_at: timeOf(image.completedAt),
    error: errorText(image),
    attempts: image.attempts,
    state: image.state,
    error_code: error?.code ?? null,
    fix: error?.fix ?? null,
  };
}

/** Every failed image has a text, also a cancelled one. */
function errorText({ error, state }: ImageJob): string | null {
  return error?.message ?? (state === 'cancelled' ? 'cancelled' : null);
}

export function failedBody(image: Image, wordHint: WordHint) {
  const { batch, owner, bucket, name } = image;
  return { ...jobBody(image, wordHint), batch_id: batch, owner, bucket, image_name: name };
}

/**
 * The outputs of an image by the names of their sizes. Outputs that share the name of a variant get their format behind
 * it, once more where another variant has this name, and the first of them has the plain name too.
 */
export function outputsBySize({ outputs }: Pick<Image, 'outputs'>): ReadonlyMap<string, StoredOutput> {
  const sizes = new Map<string, StoredOutput>();
  for (const output of outputs) if (!sizes.has(output.variant)) sizes.set(output.variant, output);
  for (const output of outputs) {
    const { variant, format } = output;
    if (!outputs.some((other) => other !== output && other.variant === variant)) continue;
    let size = `${variant}_${format}`;
    while (sizes.has(size)) size += `_${format}`;
    sizes.set(size, output);
  }
  return sizes;
}

const addressOf = ({ key }: StoredOutput, publicUrl: string | null): string =>
  `${publicUrl ?? ''}/storage/${key}`;

function sizeFields({ width, height, format, bytes }: StoredOutput) {
  const aspectRatio = Math.round((width / height) * 10_000) / 10_000;
  return { width, height, aspect_ratio: aspectRatio, format, size_bytes: bytes };
}

export function resultBody(image: Image, publicUrl: string | null) {
  const sizes = [...outputsBySize(image)];
  const { picture, dominantColor, metadata } = image;
  const context: unknown = metadata === null ? null : JSON.parse(metadata);
  return {
    image_id: image.id,
    status: statusOf(image.state),
    urls: Object.fromEntries(sizes.map(([size, output]) => [size, addressOf(output, publicUrl)])),
    metadata: {
      dominant_color: dominantColor?.toUpperCase() ?? null,
      original_dimensions: picture && { width: picture.width, height: picture.height },
      variants: Object.fromEntries(sizes.map(([size, output]) => [size, sizeFields(output)])),
      context,
    },
    completed_at: timeOf(image.completedAt),
  };
}

/** One size of an image. */
export function sizeBody(image: Image, size: string, output: StoredOutput, publicUrl: string | null) {
  return { image_id: image.id, size, url: addressOf(output, publicUrl), ...sizeFields(output) };
}

export function batchBody({ id, bucket, createdAt, completedAt, counts }: UploadBatch) {
  const of = (status: Status) =>
    STATES.filter((state) => STATUSES[state] === status).reduce((sum, state) => sum + counts[state], 0);
  const [completed, failed, processing] = [of('completed'), of('failed'), of('processing')];
  const total = completed + failed + processing + of('pending');
  const ended = completed + failed;
  return {
    batch_id: id,
    status: batchStatus({ total, ended, failed, processing }),
    created_at: timeOf(createdAt),
    completed_at: timeOf(completedAt),
    total_images: total,
    processed_images: ended,
    total,
    completed,
    failed,
    pending: total - ended,
    progress: total === 0 ? 1 : Math.round((ended / total) * 10_000) / 10_000,
    bucket,
    counts,
  };
}

/** A batch has failed only when none of its images was completed. */
function batchStatus(of: Readonly<Record<'total' | 'ended' | 'failed' | 'processing', number>>): Status {
  if (of.ended < of.total) return of.ended + of.processing === 0 ? 'pending' : 'processing';
  return of.failed === of.total && of.total > 0 ? 'failed' : 'completed';
}

export function batchImageBody(image: Image) {
  const status = statusOf(image.state);
  return {
    image_id: image.id,
    batch_id: image.batch,
    status,
    error: errorText(image),
    created_at: timeOf(image.createdAt),
    processed_at: timeOf(image.completedAt),
    image_name: image.name,
    job_id: image.job,
    state: image.state,
  };
}

export function statsBody(
  { states, completedLately, meanMs, images, jobs }: StoreStats,
  busy: number,
  size: number,
) {
  const workers = { active_workers: size, active_tasks: busy };
  return {
    status_breakdown: {
      completed: states.completed + states.duplicate,
      pending: states.pending + states.retrying,
      processing: states.processing,
      failed: states.failed + states.cancelled,
    },
    performance_24h: {
      completed_24h: completedLately,
      avg_processing_time_seconds: meanMs === null ? null : Math.round(meanMs / 10) / 100,
    },
    storage: { total_images: images, total_jobs: jobs },
    workers,
    // The name that clients of Celery services read.
    celery: workers,
  };
}
