import type { AboutImage, Preset, StoredOutput } from '../../../model.ts';
import type { Claim, ImageEnd, RecoveredImages } from '../../../ports.ts';
import { fragment, type StoreStep, sql } from '../sql.ts';
import { addToTrail, closeBatch, failImage } from './changes.ts';
import { imageSteps } from './images.ts';
import type { ImageRow } from './rows.ts';

/** After so many attempts in a row without an end, an image fails: it may be what ends its workers. */
const MOST_UNENDED = 3;

/** Milliseconds. An image that seems to wait for longer got its time before the clock was set back. */
const LONGEST_WAIT = 600_000;

/** The states of images without recorded outputs. */
const UNRECORDED = fragment("('pending', 'processing', 'retrying', 'failed', 'cancelled')");

const CRASHED = {
  code: 'worker_crashed',
  message: `its worker ended ${MOST_UNENDED} times before the image was done`,
};

function* take(now: number, worker: string, limit: number): StoreStep<Claim[]> {
  const waiting = yield* sql<{ id: string }>`
    SELECT id FROM images
    WHERE state IN ('pending', 'retrying') AND (not_before <= ${now} OR not_before > ${now + LONGEST_WAIT})
    ORDER BY priority DESC, number LIMIT ${limit}`;
  const claims: Claim[] = [];
  for (const { id } of waiting) claims.push(...(yield* claim(now, worker, id)));
  return claims;
}

type ClaimRow = Omit<Claim, 'preset' | 'uploaded'> & Claim['uploaded'] & { readonly preset: string };

function* claim(now: number, worker: string, image: string): StoreStep<Claim[]> {
  const rows = yield* sql<ClaimRow>`
    UPDATE images SET state = 'processing', worker = ${worker}, started_at = ${now}, taken = taken + 1, begun = 0
    WHERE id = ${image}
    RETURNING id, job, batch, owner, bucket, name, attempts + 1 AS attempt, taken, staged, digest, bytes,
      (SELECT preset FROM batches WHERE batches.id = images.batch) AS preset`;
  yield* addToTrail(now, 'processing_started', image, { attempt: rows[0]?.attempt ?? 0 });
  return rows.map(({ digest, bytes, preset, ...row }) => {
    return { ...row, uploaded: { digest, bytes }, preset: JSON.parse(preset) as Preset };
  });
}

function* begin(_now: number, { id, taken }: Claim): StoreStep<boolean> {
  const begun = yield* sql<{ id: string }>`
    UPDATE images SET attempts = attempts + 1 - begun, unended = unended + 1 - begun, begun = 1
    WHERE id = ${id} AND state = 'processing' AND taken = ${taken} RETURNING id`;
  return begun.length > 0;
}

function* lost(_now: number, claims: readonly Claim[]): StoreStep<Claim[]> {
  const gone: Claim[] = [];
  for (const one of claims) {
    const held = yield* sql`
      SELECT 1 FROM images WHERE id = ${one.id} AND state = 'processing' AND taken = ${one.taken}`;
    if (held.length === 0) gone.push(one);
  }
  return gone;
}

function* settle(now: number, claimed: Claim, end: ImageEnd): StoreStep<'settled' | 'taken' | 'gone'> {
  const [image] = yield* record(now, claimed, end);
  if (image === undefined) return yield* whyNot(claimed);
  if ('outputs' in end) yield* putOutputs(image, end.outputs);
  yield* addToTrail(now, end.state, claimed.id, 'error' in end ? { code: end.error.code } : {});
  return 'settled';
}

type Settled = Pick<ImageRow, 'number' | 'owner' | 'digest'>;

/** Ends the attempt in the row of its image. Returns the row, unless the image is no longer in the hands of the claim. */
function* record(now: number, { id, taken }: Claim, end: ImageEnd): StoreStep<readonly Settled[]> {
  const ended = fragment('attempts = attempts + 1 - begun, unended = 0, worker = NULL, state =');
  const held = fragment("state = 'processing'");
  if (end.state === 'retrying') {
    return yield* sql<Settled>`
      UPDATE images SET ${ended} 'retrying', not_before = ${now + Math.min(end.delay, LONGEST_WAIT)}
      WHERE id = ${id} AND ${held} AND taken = ${taken} RETURNING number, owner, digest`;
  }
  const ms = end.ms && JSON.stringify(end.ms);
  if (end.state === 'failed') {
    const { code, message, fix = null } = end.error;
    return yield* sql<Settled>`
      UPDATE images SET ${ended} 'failed', completed_at = ${now}, error_code = ${code}, error_message = ${message},
        error_fix = ${fix}, ms = ${ms}
      WHERE id = ${id} AND ${held} AND taken = ${taken} RETURNING number, owner, digest`;
  }
  const { format, width, height } = end.picture;
  return yield* sql<Settled>`
    UPDATE images SET ${ended} ${end.state}, completed_at = ${now}, staged = NULL, format = ${format}, width = ${width},
      height = ${height}, dominant_color = ${end.dominantColor}, degraded = ${end.degraded ? 1 : 0},
      duplicate_of = ${end.duplicateOf}, ms = ${ms}, total_ms = ${end.ms.total}
    WHERE id = ${id} AND ${held} AND taken = ${taken} RETURNING number, owner, digest`;
}

function* whyNot({ id }: Claim): StoreStep<'taken' | 'gone'> {
  const there = yield* sql`
    SELECT 1 FROM images WHERE id = ${id} AND deleted_at IS NULL AND state <> 'cancelled'`;
  return there.length > 0 ? 'taken' : 'gone';
}

function* putOutputs({ number, owner, digest }: Settled, outputs: readonly StoredOutput[]): StoreStep<void> {
  for (const [position, output] of outputs.entries()) {
    yield* sql`
      INSERT INTO outputs (image, position, variant, format, settings, owner, digest, key, width, height, bytes,
        checksum, encoder, recipe)
      VALUES (${number}, ${position}, ${output.variant}, ${output.format}, ${output.settings}, ${owner}, ${digest},
        ${output.key}, ${output.width}, ${output.height}, ${output.bytes}, ${output.checksum}, ${output.encoder},
        ${output.recipe})`;
  }
}

function* giveBack(now: number, claims: readonly Claim[]): StoreStep<void> {
  for (const { id, taken } of claims) {
    const given = yield* sql`
      UPDATE images SET state = 'pending', worker = NULL, attempts = attempts - begun, unended = unended - begun,
        not_before = 0
      WHERE id = ${id} AND state = 'processing' AND taken = ${taken} RETURNING id`;
    if (given.length > 0) yield* addToTrail(now, 'given_back', id);
  }
}

function* unended(): StoreStep<AboutImage[]> {
  const images = yield* sql<AboutImage>`
    SELECT id, job, batch, owner, bucket FROM images
    WHERE deleted_at IS NULL AND state IN ${UNRECORDED} AND unended > 0`;
  return [...images];
}

function* recover(now: number): StoreStep<RecoveredImages> {
  const left = yield* sql<{ id: string; unended: number }>`
    UPDATE images SET state = 'pending', worker = NULL, not_before = 0
    WHERE state = 'processing' AND deleted_at IS NULL RETURNING id, unended`;
  for (const { id } of left) yield* addToTrail(now, 'given_back', id, { reason: 'worker_gone' });
  const crashed = left.filter((image) => image.unended >= MOST_UNENDED).map(({ id }) => id);
  for (const id of crashed) yield* failImage(now, id, CRASHED);
  yield* sql`
    UPDATE images SET unended = 0
    WHERE deleted_at IS NULL AND state IN ('failed', 'cancelled') AND unended > 0`;
  const open = yield* sql<{ id: string }>`SELECT id FROM batches WHERE completed_at IS NULL`;
  for (const { id } of open) yield* closeBatch(now, id);
  return {
    waiting: left.length - crashed.length,
    crashed: yield* imageSteps.images(now, 'all', crashed),
  };
}

export const queueSteps = { take, begin, lost, settle, giveBack, unended, recover };
