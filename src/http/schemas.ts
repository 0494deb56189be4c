import type { Schema } from '../variants/values.ts';
import { PROBLEM_TYPE } from './problem.ts';

// The schemas of requests and answers. They check requests, write answers, and make the OpenAPI document.

const text: Schema = { type: 'string' };
const whole: Schema = { type: 'integer' };
const number: Schema = { type: 'number' };
const id: Schema = { type: 'string', format: 'uuid' };
const time: Schema = { type: 'string', format: 'date-time' };
const orNull = (schema: Schema): Schema => ({ ...schema, type: [schema.type, 'null'] });
const listOf = (items: Schema): Schema => ({ type: 'array', items });

/** The schema of an object with these members. */
export interface ObjectSchema extends Schema {
  readonly type: 'object';
  readonly required: readonly string[];
  readonly properties: Readonly<Record<string, Schema>>;
}

function object(properties: ObjectSchema['properties'], optional: readonly string[] = []): ObjectSchema {
  const required = Object.keys(properties).filter((key) => !optional.includes(key));
  return { type: 'object', required, properties };
}

const byName = (schema: Schema): Schema => ({ type: 'object', additionalProperties: schema });

const status: Schema = { type: 'string', enum: ['pending', 'processing', 'completed', 'failed'] };
const state: Schema = {
  type: 'string',
  enum: ['pending', 'processing', 'retrying', 'completed', 'duplicate', 'failed', 'cancelled'],
};

const accepted = { job_id: id, image_id: id, status_url: text, message: text };
const job = {
  ...{ job_id: id, image_id: id, status, created_at: time, completed_at: orNull(time), error: orNull(text) },
  ...{ attempts: whole, state, error_code: orNull(text), fix: orNull(text) },
};
const dimensions = { width: whole, height: whole };
const variant = { ...dimensions, aspect_ratio: number, format: text, size_bytes: whole };
const result = {
  ...{ image_id: id, status, urls: byName(text) },
  metadata: object({
    dominant_color: orNull(text),
    original_dimensions: orNull(object(dimensions)),
    variants: byName(object(variant)),
    context: { description: 'the metadata of the upload' },
  }),
  completed_at: orNull(time),
};
const size = { image_id: id, size: text, url: text, ...variant };
const counts = { completed: whole, pending: whole, processing: whole, failed: whole };
const workers = object({ active_workers: whole, active_tasks: whole });

/** An image of a list, or why there is none. */
const listed = object({ ...result, ...size, error: text, state }, [
  ...Object.keys({ ...result, ...size, error: text, state }).filter((key) => key !== 'image_id'),
]);

/** The bodies of answers. */
export const ANSWERS = {
  accepted: object(accepted),
  acceptedBatch: object({
    ...{ batch_id: id, status_url: text, message: text },
    images: listOf(object({ image_id: id, job_id: id, image_name: text, state, error: orNull(text) })),
  }),
  job: object(job),
  result: object(result),
  /** One size, or all of them. */
  sizeOrAll: object(
    { ...result, ...size },
    Object.keys({ ...result, ...size }).filter((key) => key !== 'image_id'),
  ),
  images: object({ images: listOf(listed) }),
  batch: object({
    ...{ batch_id: id, status, created_at: time, completed_at: orNull(time) },
    ...{ total_images: whole, processed_images: whole },
    ...{ total: whole, completed: whole, failed: whole, pending: whole, progress: number, bucket: text },
    counts: byName(whole),
  }),
  batchImages: object({
    batch_id: id,
    images: listOf(
      object({
        ...{ image_id: id, batch_id: id, status, error: orNull(text), created_at: time },
        ...{ processed_at: orNull(time), image_name: text, job_id: id, state },
      }),
    ),
    next: orNull(text),
  }),
  changed: object({ images: whole, status_url: text, message: text }),
  health: object({ status: text, service: text, version: text }),
  stats: object({
    status_breakdown: object(counts),
    performance_24h: object({ completed_24h: whole, avg_processing_time_seconds: orNull(number) }),
    storage: object({ total_images: whole, total_jobs: whole }),
    workers,
    celery: workers,
  }),
  failed: object({
    failed: listOf(object({ ...job, batch_id: id, owner: text, bucket: text, image_name: text })),
  }),
} as const satisfies Record<string, Schema>;

const problem = object({ type: text, title: text, status: whole, detail: text, code: text, fix: text }, [
  'fix',
]);

const problems = {
  description: 'a problem, with its code and what to do about it',
  content: { [PROBLEM_TYPE]: { schema: problem } },
};

/** The answers of a route: one for success, and problems. */
export function answers(statusCode: number, description: string, schema: Schema) {
  const content = { 'application/json': { schema } };
  return { [statusCode]: { description, content }, '4xx': problems, '5xx': problems };
}

/** The answers of a route whose success has no body. */
export function emptyAnswer(statusCode: number, description: string) {
  return { [statusCode]: { description, type: 'null' }, '4xx': problems, '5xx': problems };
}

const bytes = { 'image/*': { schema: { type: 'string', format: 'binary' } } };

/** The answers of a route that sends an output. */
export const FILE_ANSWERS = {
  200: { description: 'the bytes', content: bytes },
  206: { description: 'the range of bytes that was asked for', content: bytes },
  304: { description: 'the client has these bytes', type: 'null' },
  '4xx': problems,
  '5xx': problems,
};

const LONGEST_NAME = 200;

/** The parts of addresses. */
export const jobParams = object({ job_id: id });
export const imageParams = object({ image_id: id });
export const batchParams = object({ batch_id: id });
export const sizeQuery = object({ size: { type: 'string', maxLength: LONGEST_NAME } }, ['size']);
export const imagesQuery = object(
  {
    image_ids: { ...text, description: 'up to 50 ids with commas' },
    size: { type: 'string', maxLength: LONGEST_NAME },
  },
  ['size'],
);
const page = (most: number, initial: number): Schema => ({
  ...whole,
  minimum: 1,
  maximum: most,
  default: initial,
});
export const batchImagesQuery = object({ after: id, limit: page(500, 100) }, ['after', 'limit']);
export const failedQuery = object({ limit: page(500, 50) }, ['limit']);

/** A bucket is a part of the path of each output. */
const bucket: Schema = {
  type: 'string',
  pattern: '^(?!staging$)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$',
  description: '3 to 63 lower-case letters, digits and hyphens, none at an end; not staging',
};

/** Checked by the gate, with an answer that says more. */
export const IDEMPOTENCY_KEY: Schema = {
  type: 'string',
  description: '1 to 255 characters of ASCII without spaces',
};

/** The longest text of `metadata` in bytes. */
export const LONGEST_METADATA = 16_384;

const fields = {
  bucket,
  metadata: { type: 'string', description: 'a JSON value, which comes back with the result' },
  preset: { type: 'string', maxLength: LONGEST_NAME, description: 'the name of a list of variants' },
};

/** The fields beside the files. */
export const IMAGE_FIELDS = object(fields, ['metadata', 'preset']);
export const BATCH_FIELDS = object({ ...fields, bucket: { ...bucket, default: 'default' } }, [
  'bucket',
  'metadata',
  'preset',
]);
