import type { Failure, Image, ImageState, StoredOutput, Timings } from '../../../model.ts';
import { fragment, listOf, type StoreStep, sql } from '../sql.ts';

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

function outputIn({ image: _, ...output }: OutputRow): StoredOutput {
  return output;
}

function imageIn(row: ImageRow, outputs: readonly StoredOutput[]): Image {
  const { number: _, digest, bytes, format, width, height, ms, code, message, fix, degraded, ...plain } = row;
  return {
    ...plain,
    uploaded: digest === null || bytes === null ? null : { digest, bytes },
    picture: pictureIn(row),
    degraded: degraded === 1,
    ms: ms === null ? null : (JSON.parse(ms) as Timings),
    error: code === null ? null : failureIn(code, message, fix),
    outputs,
  };
}

export function pictureIn({ format, width, height }: Pick<ImageRow, 'format' | 'width' | 'height'>) {
  return format === null || width === null || height === null ? null : { format, width, height };
}

function failureIn(code: string, message: string | null, fix: string | null): Failure {
  return { code, message: message ?? '', ...(fix === null ? {} : { fix }) };
}
