import { severalBatches, unknownBatch } from '../../errors.ts';
import type { Batch, BatchOptions, Image, JobRecord, JobState, Preset, StoredOutput } from '../../model.ts';
import type { PastBatches } from '../../ports.ts';
import { openWith, pagesFrom } from '../sqlite/connection.ts';
import { isHeldIn } from './hold.ts';
import { STORE } from './schema.ts';
import { fragment, type StoreStep, sql } from './sql.ts';
import { executor } from './sqlite.ts';
import { countsOf } from './steps/images.ts';
import { IMAGE, type ImageRow, imagesIn } from './steps/rows.ts';

/** The state of images that a service left in work: they wait for its next start. */
const LEFT_IN_WORK = 'pending';
/** Images read in one step. */
const PAGE = 500;

/**
 * The batches of the service as the pages of the command line show them, also while the service runs. The file may be
 * write-protected. Errors: those of `connect`.
 */
export function openStoreHistory(path: string): Promise<PastBatches> {
  return openWith(STORE, path, 'look', (connection) => {
    const carryOut = executor(connection);
    const read = <T>(step: () => StoreStep<T>) => connection.read(() => carryOut(step()));
    const isServed = () => isHeldIn(connection);
    return {
      batch: (idPrefix) => read(() => batchWith(idPrefix, isServed())),
      batches: (limit) => read(() => newest(limit, isServed())),
      async *jobs(batch, states) {
        for (const state of states) {
          const next = (after: number) => carryOut(jobsOf(batch, state, isServed(), after));
          for await (const rows of pagesFrom<number, JobRecord>(connection.read, 0, next)) yield* rows;
        }
      },
      degraded: (batch) => read(() => degradedIn(batch)),
    };
  });
}

interface ListedBatchRow extends Pick<Batch, 'id' | 'startedAt' | 'finishedAt'> {
  readonly owner: string;
  readonly bucket: string;
  readonly preset: string;
}

const BATCH = fragment('id, owner, bucket, preset, created_at AS "startedAt", completed_at AS "finishedAt"');

function* batchWith(idPrefix: string, isServed: boolean): StoreStep<Batch> {
  const isId = /^[0-9a-f-]+$/.test(idPrefix);
  const rows = isId
    ? yield* sql<ListedBatchRow>`
        SELECT ${BATCH} FROM batches WHERE id >= ${idPrefix} AND id < ${`${idPrefix}g`} ORDER BY id LIMIT 2`
    : [];
  const [row, second] = rows;
  if (row === undefined) throw unknownBatch(idPrefix);
  if (second !== undefined && row.id !== idPrefix) throw severalBatches(idPrefix, row.id, second.id);
  return yield* batchIn(row, isServed);
}

function* newest(limit: number, isServed: boolean): StoreStep<Batch[]> {
  const rows =
    yield* sql<ListedBatchRow>`SELECT ${BATCH} FROM batches ORDER BY created_at DESC, id DESC LIMIT ${limit}`;
  const batches: Batch[] = [];
  for (const row of rows) batches.push(yield* batchIn(row, isServed));
  return batches;
}

type Sums = Pick<Batch, 'bytesIn' | 'bytesOut' | 'degraded'>;

function* batchIn({ owner, bucket, ...row }: ListedBatchRow, isServed: boolean): StoreStep<Batch> {
  const { processing, ...counts } = yield* countsOf(row.id);
  const [size = { bytesIn: 0, bytesOut: 0, degraded: 0 }] = yield* sql<Sums>`
    SELECT coalesce(sum(bytes), 0) AS "bytesIn", coalesce(sum(degraded), 0) AS degraded, coalesce(sum((SELECT sum(outputs.bytes) FROM outputs
      WHERE image = images.number)), 0) AS "bytesOut"
    FROM images WHERE batch = ${row.id} AND deleted_at IS NULL AND state IN ('completed', 'duplicate')`;
  const left = isServed
    ? { processing }
    : { processing: 0, [LEFT_IN_WORK]: counts[LEFT_IN_WORK] + processing };
  const preset = JSON.parse(row.preset) as Preset;
  const ended = counts.cancelled > 0 ? 'cancelled' : 'finished';
  return {
    ...{ id: row.id, command: 'upload', inputs: [owner], out: bucket, cwd: '', preset: preset.name, jobs: 0 },
    ...{ state: row.finishedAt !== null ? ended : isServed ? 'running' : 'interrupted' },
    ...{ options: optionsWith(preset), startedAt: row.startedAt, finishedAt: row.finishedAt },
    ...{ counts: { ...counts, unchanged: 0, ...left }, ...size },
    ...{ passedOver: 0, aside: null, walkEnded: true },
  };
}

/** The options of an upload are its preset. The others are about folders, and hold nothing here. */
function optionsWith(preset: Preset): BatchOptions {
  return {
    ...{ preset, out: '', outGiven: '', template: '', duplicates: 'copy', force: false, outdated: false },
    ...{
      times: false,
      keepEdited: false,
      dryRun: false,
      jobs: 0,
      memory: 0,
      memoryCap: 0,
      list: null,
      mirror: false,
    },
    limits: { pixels: 0, allowSvg: false, lenient: false, timeout: 0 },
    walk: {
      allFiles: false,
      followSymlinks: false,
      ignoreCtime: false,
      include: [],
      exclude: [],
      base: null,
    },
  };
}

function* jobsOf(batch: string, state: JobState, isServed: boolean, after: number): StoreStep<JobRecord[]> {
  const inWork = isServed ? 'processing' : LEFT_IN_WORK;
  const rows = yield* sql<ImageRow>`
    SELECT ${IMAGE} FROM images
    WHERE batch = ${batch} AND deleted_at IS NULL AND number > ${after}
      AND CASE state WHEN 'processing' THEN ${inWork} ELSE state END = ${state}
    ORDER BY number LIMIT ${PAGE}`;
  const images = yield* imagesIn(rows);
  return images.map((image, at): JobRecord => {
    const { uploaded, picture, completedAt } = image;
    return {
      ...{ id: rows[at]?.number ?? 0, source: sourceOf(image), state, part: null },
      ...{ attempts: image.attempts, bytes: uploaded?.bytes ?? null, digest: uploaded?.digest ?? null },
      ...{ width: picture?.width ?? null, height: picture?.height ?? null, format: picture?.format ?? null },
      ...{ pages: null, dominantColor: image.dominantColor, duplicateOf: image.duplicateOf, reused: false },
      ...{ degraded: image.degraded, outputs: image.outputs.map(outputIn), ms: image.ms, error: image.error },
      finishedAt: completedAt,
    };
  });
}

function outputIn({ variant, format, key, bytes, width, height }: StoredOutput) {
  return { variant, format, path: key, bytes, width, height };
}

function* degradedIn(batch: string): StoreStep<string[]> {
  const rows = yield* sql<Pick<Image, 'id' | 'name'>>`
    SELECT id, name FROM images WHERE batch = ${batch} AND deleted_at IS NULL AND degraded = 1 ORDER BY id`;
  return rows.map(sourceOf);
}

/** Stands for the path of an image, which has none. */
const sourceOf = ({ id, name }: Pick<Image, 'id' | 'name'>) => `${id}/${name}`;
