import type { Image, ImageJob, ImageState, Preset, UploadBatch } from '../../../model.ts';
import type { Viewer } from '../../../ports.ts';
import { IMAGE_STATES } from '../schema.ts';
import { fragment, listOf, type StoreStep, sql } from '../sql.ts';
import { IMAGE, type ImageRow, imagesIn, JOB, type JobRow, jobIn } from './rows.ts';

/** The owner whose rows a viewer sees. Null: all rows. */
export const ownerSeen = (viewer: Viewer) => (viewer === 'all' ? null : viewer.owner);

function* image(_now: number, viewer: Viewer, id: string): StoreStep<Image | undefined> {
  const rows = yield* sql<ImageRow>`
    SELECT ${IMAGE} FROM images
    WHERE id = ${id} AND deleted_at IS NULL AND owner = coalesce(${ownerSeen(viewer)}, owner)`;
  return (yield* imagesIn(rows))[0];
}

function* imageOfJob(_now: number, viewer: Viewer, job: string): StoreStep<Image | undefined> {
  const rows = yield* sql<ImageRow>`
    SELECT ${IMAGE} FROM images
    WHERE job = ${job} AND deleted_at IS NULL AND owner = coalesce(${ownerSeen(viewer)}, owner)`;
  return (yield* imagesIn(rows))[0];
}

function* jobOf(_now: number, viewer: Viewer, job: string): StoreStep<ImageJob | undefined> {
  const [row] = yield* sql<JobRow>`
    SELECT ${JOB} FROM images
    WHERE job = ${job} AND deleted_at IS NULL AND owner = coalesce(${ownerSeen(viewer)}, owner)`;
  return row && jobIn(row);
}

function* images(_now: number, viewer: Viewer, ids: readonly string[]): StoreStep<Image[]> {
  if (ids.length === 0) return [];
  const rows = yield* sql<ImageRow>`
    SELECT ${IMAGE} FROM images
    WHERE id IN ${listOf(ids)} AND deleted_at IS NULL AND owner = coalesce(${ownerSeen(viewer)}, owner)`;
  return yield* imagesIn(rows);
}

function* imagesOf(
  _now: number,
  viewer: Viewer,
  batch: string,
  after: string | null,
  limit: number,
): StoreStep<Image[] | undefined> {
  // A deleted image still says where the page begins, until its row is dropped.
  const [last] =
    after === null
      ? [{ number: 0 }]
      : yield* sql<{ number: number }>`SELECT number FROM images WHERE id = ${after} AND batch = ${batch}`;
  if (last === undefined) return undefined;
  const rows = yield* sql<ImageRow>`
    SELECT ${IMAGE} FROM images
    WHERE batch = ${batch} AND deleted_at IS NULL AND owner = coalesce(${ownerSeen(viewer)}, owner)
      AND number > ${last.number}
    ORDER BY number LIMIT ${limit}`;
  return yield* imagesIn(rows);
}

type UploadBatchRow = Omit<UploadBatch, 'preset' | 'counts'> & { readonly preset: string };

const BATCH = fragment('id, owner, bucket, preset, created_at AS "createdAt", completed_at AS "completedAt"');

function* batchOf(_now: number, viewer: Viewer, id: string): StoreStep<UploadBatch | undefined> {
  const [row] = yield* sql<UploadBatchRow>`
    SELECT ${BATCH} FROM batches WHERE id = ${id} AND owner = coalesce(${ownerSeen(viewer)}, owner)`;
  if (row === undefined) return undefined;
  const counts = yield* countsOf(id);
  return { ...row, preset: JSON.parse(row.preset) as Preset, counts };
}

type StateCount = { readonly state: ImageState; readonly count: number };

export function* countsOf(batch: string): StoreStep<UploadBatch['counts']> {
  const found = yield* sql<StateCount>`
    SELECT state, count(*) AS count FROM images WHERE batch = ${batch} AND deleted_at IS NULL GROUP BY state`;
  return statesIn(found);
}

/** The number of images in each state. */
export function statesIn(found: readonly StateCount[]): Record<ImageState, number> {
  const none = IMAGE_STATES.map((state) => [state, 0] as const);
  return Object.fromEntries([...none, ...found.map(({ state, count }) => [state, count] as const)]) as Record<
    ImageState,
    number
  >;
}

export const imageSteps = { image, imageOfJob, jobOf, images, batchOf, imagesOf };
