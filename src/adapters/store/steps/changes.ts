import { type AboutImage, ACTIVE_STATES, type ImageState } from '../../../model.ts';
import type { BatchOrJob, HiddenImage, Viewer } from '../../../ports.ts';
import { ACTIVE } from '../schema.ts';
import { type StoreStep, sql } from '../sql.ts';
import { ownerSeen } from './images.ts';
import { addToTrail, closeBatch, failImage } from './parts.ts';

const NO_BYTES = {
  code: 'source_missing',
  message: 'its uploaded bytes are not there any more',
  fix: 'upload it again',
};

/** The batch of a request, and its image if the request is about one. Undefined for what the viewer may not see. */
function* sought(
  viewer: Viewer,
  what: BatchOrJob,
): StoreStep<{ batch: string; image: string | null } | undefined> {
  const owner = ownerSeen(viewer);
  const [found] =
    'batch' in what
      ? yield* sql<{ batch: string; image: null }>`
          SELECT id AS batch, NULL AS image FROM batches WHERE id = ${what.batch} AND owner = coalesce(${owner}, owner)`
      : yield* sql<{ batch: string; image: string }>`
          SELECT batch, id AS image FROM images
          WHERE job = ${what.job} AND deleted_at IS NULL AND owner = coalesce(${owner}, owner)`;
  return found;
}

function* cancel(now: number, viewer: Viewer, what: BatchOrJob): StoreStep<AboutImage[] | undefined> {
  const found = yield* sought(viewer, what);
  if (found === undefined) return undefined;
  const { batch, image } = found;
  const cancelled = yield* sql<AboutImage>`
    UPDATE images SET state = 'cancelled', worker = NULL, completed_at = ${now}
    WHERE batch = ${batch} AND id = coalesce(${image}, id) AND state IN ${ACTIVE}
    RETURNING id, job, batch, owner, bucket`;
  for (const { id } of cancelled) yield* addToTrail(now, 'cancelled', id);
  if (cancelled.length > 0) yield* closeBatch(now, batch);
  return [...cancelled];
}

function* retry(now: number, viewer: Viewer, what: BatchOrJob): StoreStep<number | undefined> {
  const found = yield* sought(viewer, what);
  if (found === undefined) return undefined;
  const { batch, image } = found;
  // A file that was refused never had staged bytes, and keeps its error.
  const ended = yield* sql<{ id: string; staged: string | null }>`
    SELECT id, staged FROM images
    WHERE batch = ${batch} AND id = coalesce(${image}, id) AND deleted_at IS NULL
      AND (state = 'cancelled' OR (state = 'failed' AND (staged IS NOT NULL OR started_at IS NOT NULL)))
    ORDER BY number`;
  let waiting = 0;
  for (const { id, staged } of ended) {
    if (staged === null) yield* failImage(now, id, NO_BYTES);
    else {
      yield* waitAgain(now, id);
      waiting++;
    }
  }
  if (waiting > 0) yield* sql`UPDATE batches SET completed_at = NULL WHERE id = ${batch}`;
  return waiting;
}

function* waitAgain(now: number, image: string): StoreStep<void> {
  // What an attempt without an end has stored may still be there.
  yield* sql`
    UPDATE images SET state = 'pending', attempts = 0, unended = CASE WHEN unended > 0 THEN 1 ELSE 0 END, not_before = 0,
      started_at = NULL, completed_at = NULL, ms = NULL, error_code = NULL, error_message = NULL, error_fix = NULL
    WHERE id = ${image}`;
  yield* addToTrail(now, 'retried', image);
}

type ToHide = AboutImage & { readonly number: number; readonly state: ImageState };

function* remove(
  now: number,
  viewer: Viewer,
  id: string,
): StoreStep<(HiddenImage & { readonly hadEnded: boolean }) | undefined> {
  const [found] = yield* sql<ToHide>`
    SELECT number, state, id, job, batch, owner, bucket FROM images
    WHERE id = ${id} AND deleted_at IS NULL AND owner = coalesce(${ownerSeen(viewer)}, owner)`;
  if (found === undefined) return undefined;
  const { number, state, ...about } = found;
  yield* sql`
    UPDATE images SET deleted_at = ${now}, worker = NULL, completed_at = coalesce(completed_at, ${now}),
      state = CASE WHEN state IN ${ACTIVE} THEN 'cancelled' ELSE state END
    WHERE number = ${number}`;
  yield* addToTrail(now, 'deleted', id);
  yield* closeBatch(now, about.batch);
  const hadEnded = !ACTIVE_STATES.some((active) => active === state);
  return { ...about, keys: yield* keysOf(number), hadEnded };
}

/** The recorded keys of all objects of an image. */
export function* keysOf(image: number): StoreStep<string[]> {
  const rows = yield* sql<{ key: string }>`
    SELECT staged AS key FROM images WHERE number = ${image} AND staged IS NOT NULL
    UNION ALL SELECT key FROM outputs WHERE image = ${image}`;
  return rows.map(({ key }) => key);
}

function* dropRows(_now: number, id: string): StoreStep<void> {
  const [image] = yield* sql<{ batch: string }>`
    DELETE FROM images WHERE id = ${id} AND deleted_at IS NOT NULL RETURNING batch`;
  if (image === undefined) return;
  yield* sql`
    DELETE FROM batches WHERE id = ${image.batch}
      AND NOT EXISTS (SELECT 1 FROM images WHERE images.batch = batches.id)`;
}

export const changeSteps = { cancel, retry, remove, dropRows };
