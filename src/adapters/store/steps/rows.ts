import type { Failure, Image, ImageJob, ImageState, StoredOutput, Timings } from '../../../model.ts';
import { fragment, listOf, type StoreStep, sql } from '../sql.ts';

/** The columns of an image as `jobIn` takes them. */
export const JOB =
  fragment(`id, job, state, attempts, error_code AS code, error_message AS message, error_fix AS fix,
  created_at AS "createdAt", completed_at AS "completedAt"`);

/** The columns of an image as `imagesIn` takes them. */
export const IMAGE =
  fragment(`number, id, job, batch, owner, bucket, name, state, attempts, digest, bytes, format,
  width, height, dominant_color AS "dominantColor", degraded, duplicate_of AS "duplicateOf", metadata, ms,
  error_code AS code, error_message AS message, error_fix AS fix,
  created_at AS "createdAt", started_at AS "startedAt", completed_at AS "completedAt"`);

const OUTPUT = fragment(
  'image, variant, format, settings, key, width, height, bytes, checksum, encoder, recipe',
);

type Plain =
  | 'id'
  | 'job'
  | 'batch'
  | 'owner'
  | 'bucket'
  | 'name'
  | 'dominantColor'
  | 'duplicateOf'
  | 'metadata';
type Times = 'createdAt' | 'startedAt' | 'completedAt';

export interface ImageRow extends Pick<Image, Plain | Times | 'attempts'> {
  readonly number: number;
  readonly state: ImageState;
  readonly digest: string | null;
  readonly bytes: number | null;
  readonly format: string | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly degraded: number;
  readonly ms: string | null;
  readonly code: string | null;
  readonly message: string | null;
  readonly fix: string | null;
}

export type JobRow = Pick<
  ImageRow,
  'id' | 'job' | 'state' | 'attempts' | 'code' | 'message' | 'fix' | 'createdAt' | 'completedAt'
>;

export function jobIn(row: JobRow): ImageJob {
  const { id, job, state, attempts, createdAt, completedAt } = row;
  return { id, job, state, attempts, error: failureIn(row), createdAt, completedAt };
}

type OutputRow = StoredOutput & { readonly image: number };

/** Images with their outputs, in the order of the rows. */
export function* imagesIn(rows: readonly ImageRow[]): StoreStep<Image[]> {
  if (rows.length === 0) return [];
  const outputs = yield* sql<OutputRow>`
    SELECT ${OUTPUT} FROM outputs WHERE image IN ${listOf(rows.map(({ number }) => number))} ORDER BY image, position`;
  const byImage = new Map(rows.map(({ number }) => [number, [] as StoredOutput[]]));
  for (const output of outputs) byImage.get(output.image)?.push(outputIn(output));
  return rows.map((row) => imageIn(row, byImage.get(row.number) ?? []));
}

export function* storedOutputsOf(image: number): StoreStep<StoredOutput[]> {
  const rows = yield* sql<OutputRow>`SELECT ${OUTPUT} FROM outputs WHERE image = ${image} ORDER BY position`;
  return rows.map(outputIn);
}

function outputIn(row: OutputRow): StoredOutput {
  const { variant, format, settings, key, width, height, bytes, checksum, encoder, recipe } = row;
  return { variant, format, settings, key, width, height, bytes, checksum, encoder, recipe };
}

/** Field by field: a rest or a spread of a row takes longer than SQLite. */
function imageIn(row: ImageRow, outputs: readonly StoredOutput[]): Image {
  const { digest, bytes, ms } = row;
  return {
    id: row.id,
    job: row.job,
    batch: row.batch,
    owner: row.owner,
    bucket: row.bucket,
    name: row.name,
    state: row.state,
    attempts: row.attempts,
    uploaded: digest === null || bytes === null ? null : { digest, bytes },
    picture: pictureIn(row),
    dominantColor: row.dominantColor,
    degraded: row.degraded === 1,
    duplicateOf: row.duplicateOf,
    metadata: row.metadata,
    ms: ms === null ? null : (JSON.parse(ms) as Timings),
    error: failureIn(row),
    createdAt: row.createdAt,
    startedAt: row.startedAt,
    completedAt: row.completedAt,
    outputs,
  };
}

export function pictureIn({ format, width, height }: Pick<ImageRow, 'format' | 'width' | 'height'>) {
  return format === null || width === null || height === null ? null : { format, width, height };
}

function failureIn({ code, message, fix }: Pick<ImageRow, 'code' | 'message' | 'fix'>): Failure | null {
  if (code === null) return null;
  return { code, message: message ?? '', ...(fix === null ? {} : { fix }) };
}
