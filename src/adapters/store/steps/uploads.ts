import type { Accepted, NewImage, NewUpload, Quota, QuotaRule, Replay, RequestKey } from '../../../ports.ts';
import { type StoreStep, sql } from '../sql.ts';
import { addToTrail, closeBatch } from './parts.ts';

/** Milliseconds for which the key of a request is known. */
export const KEY_AGE = 86_400_000;

function* accept(now: number, upload: NewUpload): StoreStep<Accepted> {
  const { owner, images, quota: rule, key } = upload;
  const used = rule === null ? null : { rule, window: yield* windowOf(now, owner, rule) };
  if (key !== null) {
    const earlier = yield* replay(now, owner, key);
    if (earlier !== undefined) {
      if (earlier.fingerprint !== key.fingerprint) return { type: 'key_reused' };
      return { type: 'replayed', body: earlier.body, quota: used && left(used.window, used.rule) };
    }
  }
  if (used !== null) {
    const uploads = used.window.uploads + images.length;
    if (uploads > used.rule.uploads) return { type: 'over_quota', quota: left(used.window, used.rule) };
    used.window = { ...used.window, uploads };
    yield* putWindow(owner, used.window);
  }
  yield* add(now, upload);
  if (key !== null) yield* putKey(now, owner, key);
  return { type: 'accepted', quota: used && left(used.window, used.rule) };
}

function* add(now: number, { id, owner, bucket, preset, priority, images }: NewUpload): StoreStep<void> {
  yield* sql`
    INSERT INTO batches (id, owner, bucket, preset, created_at)
    VALUES (${id}, ${owner}, ${bucket}, ${JSON.stringify(preset)}, ${now})`;
  for (const image of images) {
    const { error, uploaded } = image;
    yield* sql`
      INSERT INTO images (id, job, batch, owner, bucket, name, state, priority, staged, digest, bytes, metadata,
        error_code, error_message, error_fix, created_at, completed_at)
      VALUES (${image.id}, ${image.job}, ${id}, ${owner}, ${bucket}, ${image.name},
        ${error === null ? 'pending' : 'failed'}, ${priority}, ${image.staged}, ${uploaded?.digest ?? null},
        ${uploaded?.bytes ?? null}, ${image.metadata}, ${error?.code ?? null}, ${error?.message ?? null},
        ${error?.fix ?? null}, ${now}, ${error === null ? null : now})`;
    yield* noteUpload(now, image);
  }
  yield* closeBatch(now, id);
}

function* noteUpload(now: number, { id, error, uploaded }: NewImage): StoreStep<void> {
  yield* addToTrail(now, 'upload_initiated', id, uploaded === null ? {} : { bytes: uploaded.bytes });
  if (error !== null) yield* addToTrail(now, 'failed', id, { code: error.code });
}

function* putKey(now: number, owner: string, { route, key, fingerprint, body }: RequestKey): StoreStep<void> {
  yield* sql`
    INSERT INTO keys (owner, route, key, fingerprint, body, created_at)
    VALUES (${owner}, ${route}, ${key}, ${fingerprint}, ${body}, ${now})
    ON CONFLICT (owner, route, key) DO UPDATE SET fingerprint = excluded.fingerprint, body = excluded.body,
      created_at = excluded.created_at`;
}

function* replay(
  now: number,
  owner: string,
  { route, key }: Pick<RequestKey, 'route' | 'key'>,
): StoreStep<Replay | undefined> {
  const [earlier] = yield* sql<Replay>`
    SELECT fingerprint, body FROM keys
    WHERE owner = ${owner} AND route = ${route} AND key = ${key} AND created_at > ${now - KEY_AGE}`;
  return earlier;
}

function* quota(now: number, owner: string, rule: QuotaRule): StoreStep<Quota> {
  return left(yield* windowOf(now, owner, rule), rule);
}

function* countRefused(now: number, owner: string, refused: number, rule: QuotaRule): StoreStep<Quota> {
  const window = yield* windowOf(now, owner, rule);
  const uploads = Math.max(window.uploads, Math.min(rule.uploads, window.uploads + refused));
  yield* putWindow(owner, { ...window, uploads });
  return left({ ...window, uploads }, rule);
}

function* resetQuota(_now: number, owner: string): StoreStep<void> {
  yield* sql`DELETE FROM limits WHERE owner = ${owner}`;
}

/** What an owner has uploaded from `startsAt` to `endsAt`. Windows begin at multiples of their length. */
interface Window {
  readonly startsAt: number;
  readonly endsAt: number;
  readonly uploads: number;
}

/**
 * The present window of an owner. If the clock was set back before its start, or windows have become shorter, it begins
 * now, with its uploads: so it ends after its own length, and no other window opens before.
 */
function* windowOf(now: number, owner: string, { window }: QuotaRule): StoreStep<Window> {
  const [found] = yield* sql<Window>`
    SELECT starts_at AS "startsAt", ends_at AS "endsAt", uploads FROM limits WHERE owner = ${owner}`;
  const startsAt = now - (now % window);
  if (found === undefined || found.endsAt <= now) return { startsAt, endsAt: startsAt + window, uploads: 0 };
  if (found.startsAt <= now && found.endsAt <= now + window) return found;
  const moved = { startsAt: now, endsAt: now + window, uploads: found.uploads };
  yield* putWindow(owner, moved);
  return moved;
}

function* putWindow(owner: string, { startsAt, endsAt, uploads }: Window): StoreStep<void> {
  yield* sql`
    INSERT INTO limits (owner, starts_at, ends_at, uploads) VALUES (${owner}, ${startsAt}, ${endsAt}, ${uploads})
    ON CONFLICT (owner) DO UPDATE SET starts_at = excluded.starts_at, ends_at = excluded.ends_at,
      uploads = excluded.uploads`;
}

function left({ uploads, endsAt }: Window, { uploads: limit }: QuotaRule): Quota {
  return { limit, remaining: Math.max(0, limit - uploads), resetAt: endsAt };
}

export const uploadSteps = { accept, replay, quota, countRefused, resetQuota };
