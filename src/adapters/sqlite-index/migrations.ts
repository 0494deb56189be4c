import { repairCommand } from '../../errors.ts';
import type { DatabaseKind } from '../sqlite/kind.ts';

const STATES = 'pending processing retrying completed duplicate unchanged failed cancelled'.split(' ');

/** The states whose counts are numbers of jobs. Unchanged sources have no jobs. */
export const COUNTED = STATES.filter((state) => state !== 'unchanged');

const WHAT_WAS_MADE = `
CREATE TABLE sources (
  path TEXT PRIMARY KEY,
  size INTEGER NOT NULL, mtime TEXT NOT NULL, ino TEXT NOT NULL, digest TEXT NOT NULL,
  width INTEGER NOT NULL, height INTEGER NOT NULL, format TEXT NOT NULL, dominant_color TEXT,
  seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One row a name. Without a checksum the name is only held: nothing of ours is under it yet.
CREATE TABLE outputs (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE, path TEXT NOT NULL, source TEXT NOT NULL,
  variant TEXT, settings TEXT, digest TEXT, format TEXT, width INTEGER, height INTEGER,
  size INTEGER, mtime TEXT, ino TEXT, checksum TEXT, encoder TEXT,
  CHECK (checksum IS NULL OR (settings IS NOT NULL AND digest IS NOT NULL AND size IS NOT NULL
    AND mtime IS NOT NULL AND ino IS NOT NULL AND format IS NOT NULL AND variant IS NOT NULL))
) STRICT;
CREATE INDEX outputs_by_bytes ON outputs (digest, settings, id);
CREATE INDEX outputs_by_source ON outputs (source);
`;

const WORK_AND_HISTORY = `
CREATE TABLE batches (
  id TEXT PRIMARY KEY,
  command TEXT NOT NULL CHECK (command IN ('process', 'watch')),
  state TEXT NOT NULL CHECK (state IN ('running', 'finished', 'cancelled', 'interrupted')),
  inputs TEXT NOT NULL, cwd TEXT NOT NULL, options TEXT NOT NULL,
  started_at INTEGER NOT NULL, finished_at INTEGER,
  walk_ended INTEGER NOT NULL DEFAULT 0, passed_over INTEGER NOT NULL DEFAULT 0,
  CHECK ((state = 'running') = (finished_at IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX batches_by_start ON batches (started_at, id);

-- Apart from its batch, whose row with all inputs would be written again at each change of a job.
CREATE TABLE counts (
  batch TEXT PRIMARY KEY REFERENCES batches (id) ON DELETE CASCADE,
  bytes_in INTEGER NOT NULL DEFAULT 0, bytes_out INTEGER NOT NULL DEFAULT 0,
  ${STATES.map((state) => `${state} INTEGER NOT NULL DEFAULT 0 CHECK (${state} >= 0)`).join(', ')}
) STRICT, WITHOUT ROWID;

CREATE TABLE runs (
  id TEXT PRIMARY KEY,
  batch TEXT NOT NULL REFERENCES batches (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX runs_by_batch ON runs (batch);

CREATE TABLE jobs (
  id INTEGER PRIMARY KEY,
  batch TEXT NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
  source TEXT NOT NULL, given TEXT NOT NULL, relative TEXT NOT NULL, naming INTEGER NOT NULL,
  state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN
    ('pending', 'processing', 'retrying', 'completed', 'duplicate', 'failed', 'cancelled')),
  run TEXT REFERENCES runs (id),
  attempts INTEGER NOT NULL DEFAULT 0, not_before INTEGER NOT NULL DEFAULT 0,
  bytes INTEGER, digest TEXT, width INTEGER, height INTEGER, dominant_color TEXT,
  duplicate_of TEXT, reused INTEGER NOT NULL DEFAULT 0,
  outputs TEXT NOT NULL DEFAULT '[]', ms TEXT,
  error_code TEXT, error_message TEXT, error_fix TEXT,
  finished_at INTEGER,
  UNIQUE (batch, source),
  CHECK ((state = 'processing') = (run IS NOT NULL)),
  CHECK ((state = 'failed') = (error_code IS NOT NULL)),
  CHECK ((error_code IS NULL) = (error_message IS NULL)),
  CHECK ((state IN ('completed', 'duplicate', 'failed', 'cancelled')) = (finished_at IS NOT NULL)),
  CHECK ((state = 'duplicate') = (duplicate_of IS NOT NULL))
) STRICT;
CREATE INDEX jobs_by_state ON jobs (batch, state, id);
CREATE INDEX jobs_by_run ON jobs (run) WHERE run IS NOT NULL;

-- Which job renders which bytes now, so that two copies in flight render once.
CREATE TABLE claims (
  digest TEXT PRIMARY KEY,
  run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  job INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX claims_by_job ON claims (job);
CREATE INDEX claims_by_run ON claims (run);
`;

const add = (row: 'NEW' | 'OLD', sign: '+' | '-') =>
  COUNTED.map((state) => `${state} = ${state} ${sign} (${row}.state = '${state}')`).join(', ');

const move = COUNTED.map(
  (state) => `${state} = ${state} + (NEW.state = '${state}') - (OLD.state = '${state}')`,
);

/** Triggers keep the counts equal to the jobs: no statement can change one without the other. */
const COUNTS = `
CREATE TRIGGER jobs_counted_in AFTER INSERT ON jobs BEGIN
  UPDATE counts SET ${add('NEW', '+')} WHERE batch = NEW.batch;
END;
CREATE TRIGGER jobs_counted_over AFTER UPDATE OF state ON jobs WHEN OLD.state <> NEW.state BEGIN
  UPDATE counts SET ${move.join(', ')} WHERE batch = NEW.batch;
END;
CREATE TRIGGER jobs_counted_out AFTER DELETE ON jobs BEGIN
  UPDATE counts SET ${add('OLD', '-')} WHERE batch = OLD.batch;
END;
CREATE TRIGGER batches_counted AFTER INSERT ON batches BEGIN
  INSERT INTO counts (batch) VALUES (NEW.id);
END;
CREATE TRIGGER batches_finished BEFORE UPDATE OF state ON batches WHEN NEW.state = 'finished' BEGIN
  SELECT raise(ABORT, 'constraint: a finished batch has no work left') FROM counts
    WHERE batch = NEW.id AND pending + processing + retrying > 0;
END;
`;

const RESUMING = `
-- Set by the command that cancels the batch, read by the run that works on it.
ALTER TABLE batches ADD COLUMN cancel_asked INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN degraded INTEGER NOT NULL DEFAULT 0;
-- The source that a duplicate repeated, while the duplicate is checked again.
ALTER TABLE jobs ADD COLUMN was_duplicate_of TEXT;
`;

const MOVED_OUTPUTS = `
-- NULL for sources that an earlier version recorded.
ALTER TABLE sources ADD COLUMN ctime TEXT;
-- The first 12 characters distinguish nearly all checksums, in a third of the space.
CREATE INDEX outputs_by_checksum ON outputs (substr(checksum, 1, 12)) WHERE checksum IS NOT NULL;
`;

/** Each settings digest that an older version may have recorded, with the first and last output that has it. */
export const NOTE_FORMER_SETTINGS = `
INSERT OR IGNORE INTO former_settings
  SELECT settings, min(id), max(id) FROM outputs WHERE settings IS NOT NULL GROUP BY settings;
`;

const FORMER_SETTINGS = `
CREATE TABLE former_settings (settings TEXT PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL)
  STRICT, WITHOUT ROWID;
${NOTE_FORMER_SETTINGS}`;

const ASKING = `
-- Names of the presets that ask for the output: ,web,archive, and NULL for outputs of an earlier version.
ALTER TABLE outputs ADD COLUMN presets TEXT;
`;

const PAGES = `
-- NULL for sources that an earlier version recorded.
ALTER TABLE sources ADD COLUMN pages INTEGER;
ALTER TABLE jobs ADD COLUMN format TEXT;
ALTER TABLE jobs ADD COLUMN pages INTEGER;
-- Few sources have several pages.
CREATE INDEX jobs_with_pages ON jobs (batch, format) WHERE pages > 1;
`;

const RECIPES = `
-- NULL for outputs of versions that recorded none.
ALTER TABLE outputs ADD COLUMN recipe INTEGER;
`;

const MISSING = `
-- The last output that was recorded when a mirror noted that the source is missing. NULL for all others.
ALTER TABLE sources ADD COLUMN missing INTEGER;
-- Few sources are missing.
CREATE INDEX sources_missing ON sources (path) WHERE missing IS NOT NULL;
`;

const ORDER_OF_BATCHES = `
-- Grows with each batch, even when the clock is set back. NULL for batches of older versions.
ALTER TABLE batches ADD COLUMN number INTEGER;
CREATE INDEX batches_by_number ON batches (number);
CREATE INDEX batches_by_preset ON batches
  (options ->> '$.preset.name', options ->> 'out', number DESC, started_at DESC);
`;

const PARTS = `
-- The numbers of files that were passed over, by reason and by kind, as JSON. NULL until the walk has ended.
ALTER TABLE batches ADD COLUMN aside TEXT;
-- The finished variants of a job in work, as JSON. NULL while none is finished.
ALTER TABLE jobs ADD COLUMN part TEXT;
`;

const METADATA = `
-- What was kept of the source's metadata. NULL for outputs without any.
ALTER TABLE outputs ADD COLUMN metadata TEXT;
`;

const DAMAGED = `
-- 1 when the decoder noticed damage in these bytes and read on.
ALTER TABLE sources ADD COLUMN degraded INTEGER NOT NULL DEFAULT 0;
UPDATE sources SET degraded = 1 WHERE digest IN (SELECT digest FROM jobs WHERE degraded = 1);
-- Few jobs are of damaged sources.
CREATE INDEX jobs_degraded ON jobs (batch, source) WHERE degraded = 1;
-- The damaged sources among those that a batch counts as unchanged. The others have jobs.
CREATE TABLE damaged (
  id INTEGER PRIMARY KEY,
  batch TEXT NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
  source TEXT NOT NULL,
  UNIQUE (batch, source)
) STRICT;
`;

const LINKABLE = `
-- How many characters of the path are the output folder in which other outputs may be links to the file. NULL for none.
ALTER TABLE outputs ADD COLUMN linkable INTEGER;
`;

/** Each script brings the schema from version n to n + 1. Never change a released migration: add one. */
export const MIGRATIONS: readonly string[] = [
  WHAT_WAS_MADE + WORK_AND_HISTORY + COUNTS,
  RESUMING,
  MOVED_OUTPUTS,
  FORMER_SETTINGS,
  ASKING,
  PAGES,
  RECIPES,
  MISSING,
  ORDER_OF_BATCHES,
  PARTS,
  METADATA,
  DAMAGED,
  LINKABLE,
];

export const INDEX: DatabaseKind = {
  noun: 'index',
  one: 'an index',
  migrations: MIGRATIONS,
  tables: ['sources', 'outputs', 'batches', 'jobs'],
  isDurable: false,
  fixAbsence: 'name the index of imgtool process or of imgtool serve with {{index}}',
  fixDamage: repairCommand,
  fixLoss: 'run the same command again: an index that lacks outputs adopts those there are',
  fixLeftBehind: 'wait until that run has ended, then run the same command again',
};
