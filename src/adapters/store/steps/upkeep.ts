import type { AboutImage, Image, ImageState } from '../../../model.ts';
import type { HiddenImage, Made, StoreStats, Swept } from '../../../ports.ts';
import { listOf, type StoreStep, sql } from '../sql.ts';
import { keysOf } from './changes.ts';
import { statesIn } from './images.ts';
import { IMAGE, type ImageRow, imagesIn, pictureIn, storedOutputsOf } from './rows.ts';
import { KEY_AGE } from './uploads.ts';

const DAY = 86_400_000;
/** Milliseconds for which the audit trail is kept. */
const TRAIL_AGE = 90 * DAY;
/** Rows of each kind that one sweep covers, so that other steps need not wait for long. */
const SWEPT = 1_000;
/** Images with the same bytes and settings that are looked at, newest first. */
const LOOKED_AT = 4;

function* made(
  _now: number,
  owner: string,
  digest: string,
  settings: readonly string[],
): StoreStep<Made | undefined> {
  const matches = new Map<number, number>();
  for (const one of settings) {
    const found = yield* sql<{ number: number }>`
      SELECT outputs.image AS number FROM outputs JOIN images ON images.number = outputs.image
      WHERE outputs.owner = ${owner} AND outputs.digest = ${digest} AND outputs.settings = ${one}
        AND images.deleted_at IS NULL
      ORDER BY outputs.image DESC LIMIT ${LOOKED_AT}`;
    for (const { number } of found) matches.set(number, (matches.get(number) ?? 0) + 1);
  }
  const [best] = [...matches].sort(([a, most], [b, more]) => more - most || b - a);
  if (best === undefined) return undefined;
  const [row] = yield* sql<ImageRow>`SELECT ${IMAGE} FROM images WHERE number = ${best[0]}`;
  if (row === undefined) return undefined;
  const outputs = (yield* storedOutputsOf(row.number)).filter((output) => settings.includes(output.settings));
  const { id, dominantColor } = row;
  return { id, dominantColor, picture: pictureIn(row), degraded: row.degraded === 1, outputs };
}

function* stats(now: number): StoreStep<StoreStats> {
  const counts = yield* sql<{ state: ImageState; count: number }>`
    SELECT state, count(*) AS count FROM images WHERE deleted_at IS NULL GROUP BY state`;
  const [lately] = yield* sql<{ count: number; mean: number | null }>`
    SELECT count(*) AS count, avg(total_ms) AS mean FROM images
    WHERE deleted_at IS NULL AND state IN ('completed', 'duplicate') AND completed_at > ${now - DAY}`;
  const states = statesIn(counts);
  return {
    states,
    completedLately: lately?.count ?? 0,
    meanMs: lately?.mean ?? null,
    images: states.completed + states.duplicate,
    jobs: Object.values(states).reduce((sum, count) => sum + count, 0),
  };
}

function* waiting(): StoreStep<number> {
  const [found] = yield* sql<{ count: number }>`
    SELECT count(*) AS count FROM images WHERE state IN ('pending', 'retrying')`;
  return found?.count ?? 0;
}

function* failed(_now: number, limit: number): StoreStep<Image[]> {
  const rows = yield* sql<ImageRow>`
    SELECT ${IMAGE} FROM images WHERE deleted_at IS NULL AND state = 'failed'
    ORDER BY completed_at DESC, number DESC LIMIT ${limit}`;
  return yield* imagesIn(rows);
}

function* referred(_now: number, keys: readonly string[]): StoreStep<string[]> {
  if (keys.length === 0) return [];
  const rows = yield* sql<{ key: string }>`
    SELECT staged AS key FROM images WHERE staged IN ${listOf(keys)} UNION SELECT key FROM outputs WHERE key IN ${listOf(keys)}`;
  return rows.map(({ key }) => key);
}

function* sweep(now: number, failedBefore: number, passed: number): StoreStep<Swept> {
  const isMore = yield* dropOld(now);
  const staged = yield* sql<{ number: number; staged: string }>`
    SELECT number, staged FROM images
    WHERE deleted_at IS NULL AND state IN ('failed', 'cancelled') AND completed_at < ${failedBefore}
      AND staged IS NOT NULL
    LIMIT ${SWEPT}`;
  if (staged.length > 0)
    yield* sql`UPDATE images SET staged = NULL WHERE number IN ${listOf(staged.map(({ number }) => number))}`;
  const hidden = yield* sql<AboutImage & { number: number }>`
    SELECT number, id, job, batch, owner, bucket FROM images WHERE deleted_at IS NOT NULL
    ORDER BY deleted_at, number LIMIT ${SWEPT} OFFSET ${passed}`;
  const removed: HiddenImage[] = [];
  for (const { number, ...about } of hidden) removed.push({ ...about, keys: yield* keysOf(number) });
  return { staged: staged.map((row) => row.staged), removed, isMore };
}

/** Returns whether more old rows may be left. */
function* dropOld(now: number): StoreStep<boolean> {
  const keys = yield* sql`
    DELETE FROM keys WHERE (owner, route, key) IN
      (SELECT owner, route, key FROM keys WHERE created_at <= ${now - KEY_AGE} LIMIT ${SWEPT})
    RETURNING 1`;
  const events = yield* sql`
    DELETE FROM events WHERE number IN (SELECT number FROM events WHERE at <= ${now - TRAIL_AGE} LIMIT ${SWEPT})
    RETURNING 1`;
  const limits = yield* sql`
    DELETE FROM limits WHERE owner IN (SELECT owner FROM limits WHERE ends_at <= ${now} LIMIT ${SWEPT}) RETURNING 1`;
  return [keys, events, limits].some((dropped) => dropped.length === SWEPT);
}

function* recordStorage(_now: number, folder: string): StoreStep<void> {
  yield* sql`DELETE FROM storage`;
  yield* sql`INSERT INTO storage (folder) VALUES (${folder})`;
}

export const upkeepSteps = { made, stats, waiting, failed, referred, sweep, recordStorage };
