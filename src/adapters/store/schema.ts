import { restoreCommand } from '../../errors.ts';
import { ACTIVE_STATES, type ImageState, JOB_STATES } from '../../model.ts';
import type { DatabaseKind } from '../sqlite/kind.ts';
import { fragment } from './sql.ts';

export const IMAGE_STATES: readonly ImageState[] = JOB_STATES.filter((state) => state !== 'unchanged');

const texts = (words: readonly string[]) => `(${words.map((word) => `'${word}'`).join(', ')})`;

/** The states of images that have not ended, for `IN`. */
export const ACTIVE = fragment(texts(ACTIVE_STATES));

const UPLOADS = `
CREATE TABLE batches (
  id TEXT PRIMARY KEY,
  owner TEXT NOT NULL, bucket TEXT NOT NULL,
  preset TEXT NOT NULL,
  created_at INTEGER NOT NULL, completed_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX batches_by_start ON batches (created_at, id);
CREATE INDEX batches_open ON batches (id) WHERE completed_at IS NULL;

-- Numbers grow with each image, even when the clock is set back.
CREATE TABLE images (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE, job TEXT NOT NULL UNIQUE,
  batch TEXT NOT NULL REFERENCES batches (id),
  owner TEXT NOT NULL, bucket TEXT NOT NULL, name TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ${texts(IMAGE_STATES)}),
  priority INTEGER NOT NULL, not_before INTEGER NOT NULL DEFAULT 0,
  -- Attempts since the upload or the last retry; attempts in a row that came to no end; all takes so far, and whether the
  -- attempt of the last one has begun.
  attempts INTEGER NOT NULL DEFAULT 0, unended INTEGER NOT NULL DEFAULT 0,
  taken INTEGER NOT NULL DEFAULT 0, begun INTEGER NOT NULL DEFAULT 0,
  worker TEXT, staged TEXT,
  digest TEXT, bytes INTEGER,
  format TEXT, width INTEGER, height INTEGER, dominant_color TEXT,
  degraded INTEGER NOT NULL DEFAULT 0, duplicate_of TEXT,
  metadata TEXT, ms TEXT, total_ms REAL,
  error_code TEXT, error_message TEXT, error_fix TEXT,
  created_at INTEGER NOT NULL, started_at INTEGER, completed_at INTEGER, deleted_at INTEGER,
  CHECK ((state = 'processing') = (worker IS NOT NULL)),
  CHECK ((state = 'failed') = (error_code IS NOT NULL)),
  CHECK ((error_code IS NULL) = (error_message IS NULL)),
  CHECK ((state IN ${texts(ACTIVE_STATES)}) = (completed_at IS NULL)),
  CHECK (deleted_at IS NULL OR completed_at IS NOT NULL),
  CHECK ((digest IS NULL) = (bytes IS NULL)),
  CHECK (digest IS NOT NULL OR state = 'failed'),
  CHECK (digest IS NOT NULL OR staged IS NULL),
  CHECK ((format IS NOT NULL) = (state IN ('completed', 'duplicate'))),
  CHECK ((format IS NULL) = (width IS NULL) AND (format IS NULL) = (height IS NULL)),
  CHECK (state <> 'duplicate' OR duplicate_of IS NOT NULL)
) STRICT;
CREATE INDEX images_by_batch ON images (batch, number);
CREATE INDEX images_waiting ON images (priority DESC, number) WHERE state IN ('pending', 'retrying');
CREATE INDEX images_by_state ON images (state, completed_at) WHERE deleted_at IS NULL;
CREATE INDEX images_staged ON images (staged) WHERE staged IS NOT NULL;
CREATE INDEX images_deleted ON images (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE outputs (
  image INTEGER NOT NULL REFERENCES images (number) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  variant TEXT NOT NULL, format TEXT NOT NULL, settings TEXT NOT NULL,
  -- Those of the image, for the index.
  owner TEXT NOT NULL, digest TEXT NOT NULL,
  key TEXT NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL, bytes INTEGER NOT NULL,
  checksum TEXT NOT NULL, encoder TEXT NOT NULL, recipe INTEGER NOT NULL,
  PRIMARY KEY (image, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX outputs_by_bytes ON outputs (owner, digest, settings, image);
CREATE INDEX outputs_by_key ON outputs (key);

-- The audit trail. It stays when an image is deleted.
CREATE TABLE events (
  number INTEGER PRIMARY KEY,
  at INTEGER NOT NULL, type TEXT NOT NULL,
  image TEXT NOT NULL, job TEXT NOT NULL, batch TEXT NOT NULL, owner TEXT NOT NULL,
  data TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_image ON events (image, number);
CREATE INDEX events_by_time ON events (at);
`;

const REQUESTS = `
-- What each owner has uploaded in its latest window.
CREATE TABLE limits (
  owner TEXT PRIMARY KEY,
  starts_at INTEGER NOT NULL, ends_at INTEGER NOT NULL, uploads INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX limits_by_end ON limits (ends_at);

CREATE TABLE keys (
  owner TEXT NOT NULL, route TEXT NOT NULL, key TEXT NOT NULL,
  fingerprint TEXT NOT NULL, body TEXT NOT NULL, created_at INTEGER NOT NULL,
  PRIMARY KEY (owner, route, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX keys_by_time ON keys (created_at);
`;

const PLACE = `
-- The folder of the objects that the last service used.
CREATE TABLE storage (folder TEXT NOT NULL) STRICT;
`;

const RESTORE =
  'end imgtool serve, put the file back or restore a copy of it, then start imgtool serve again';

/** The store of uploads in one SQLite file. An accepted upload must survive a power cut. */
export const STORE: DatabaseKind = {
  noun: 'store',
  one: 'a store',
  migrations: [UPLOADS + REQUESTS, PLACE],
  tables: ['images', 'keys', 'limits'],
  isDurable: true,
  fixAbsence: 'imgtool serve makes it',
  fixDamage: restoreCommand,
  fixLoss: RESTORE,
  fixLeftBehind: RESTORE,
};
