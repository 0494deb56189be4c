import type { Failure, TrailEntry } from '../../../model.ts';
import { ACTIVE } from '../schema.ts';
import { type StoreStep, sql } from '../sql.ts';

/** Adds an entry to the audit trail of an image. */
export function* addToTrail(
  now: number,
  type: TrailEntry['type'],
  image: string,
  data: TrailEntry['data'] = {},
): StoreStep<void> {
  yield* sql`
    INSERT INTO events (at, type, image, job, batch, owner, data)
    SELECT ${now}, ${type}, id, job, batch, owner, ${JSON.stringify(data)} FROM images WHERE id = ${image}`;
}

/** Ends an image as failed, whatever state it is in. */
export function* failImage(
  now: number,
  image: string,
  { code, message, fix = undefined }: Failure,
): StoreStep<void> {
  yield* sql`
    UPDATE images SET state = 'failed', worker = NULL, completed_at = ${now}, error_code = ${code},
      error_message = ${message}, error_fix = ${fix ?? null}
    WHERE id = ${image}`;
  yield* addToTrail(now, 'failed', image, { code });
}

/** Ends a batch, if nothing of it is open. Returns whether this step ended it. */
export function* closeBatch(now: number, batch: string): StoreStep<boolean> {
  const ended = yield* sql<{ id: string }>`
    UPDATE batches SET completed_at = ${now}
    WHERE id = ${batch} AND completed_at IS NULL
      AND NOT EXISTS (SELECT 1 FROM images WHERE images.batch = batches.id AND state IN ${ACTIVE})
    RETURNING id`;
  return ended.length > 0;
}
