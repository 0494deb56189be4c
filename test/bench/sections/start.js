import { join } from 'node:path';
import { figures } from '../figures.js';
import { interleave, SYNCED } from '../interleave.js';
import { BINARY } from '../peers/imgtool.js';
import { run, tell } from '../run.js';
import { source } from '../source.js';

/** Jobs in the batch that is shown, and in all. */
const SHOWN_ID = 'a0a0';
const SHOWN = 100_000;
const KEPT = 1_000_000;
/** Batches that the other jobs are in. */
const OTHERS = 90;
/** Each of these jobs failed, and `status` shows it. */
const FAILED_EACH = 1000;

/** Commands that only look. */
export async function* start({ place, rounds }) {
  const index = join(place, 'index.db');
  tell(`  an index with ${KEPT} jobs`);
  await fill(index);
  const node = (...args) => run(process.execPath, args);
  const looked = (...args) => node(BINARY, ...args, '--index', index, '--no-config');
  const ways = {
    '`node -e 0`': () => node('-e', '0'),
    '`imgtool --version`': () => node(BINARY, '--version'),
    '`imgtool list`': () => looked('list'),
    '`imgtool status`': () => looked('status', SHOWN_ID),
  };
  const times = await interleave(
    Object.fromEntries(Object.entries(ways).map(([name, once]) => [name, async () => (await once()).ms])),
    4 * rounds,
  );
  yield [
    '### Start',
    '',
    `\`list\` on an index with ${KEPT.toLocaleString('en')} jobs in ${OTHERS + 1} batches, \`status\` of one with ` +
      `${SHOWN.toLocaleString('en')}, of which ${SHOWN / FAILED_EACH} failed; ${4 * rounds} rounds, milliseconds, whole commands, ${SYNCED}.`,
    '',
    ...figures(times),
  ];
}

/** Made with the program's own tables, so that it is one of today's. */
async function fill(path) {
  const { connect } = await source('adapters/sqlite/connection');
  const { INDEX } = await source('adapters/sqlite-index/migrations');
  const { BUILT_IN } = await source('variants/presets');
  const { write, prepare, close } = await connect(INDEX, path);
  const options = {
    ...{ preset: BUILT_IN[0], out: '/out', outGiven: 'out', template: '{dir}/{name}_{variant}.{ext}' },
    ...{ duplicates: 'link', force: false, dryRun: false, jobs: 2, memory: 1e9, list: null },
    limits: { pixels: 1e8, allowSvg: false, lenient: false, timeout: 120_000 },
    walk: { allFiles: false, followSymlinks: false, include: [], exclude: [] },
  };
  const batch = prepare(
    `INSERT INTO batches (id, command, state, inputs, cwd, options, started_at, finished_at, walk_ended)
     VALUES (?, 'process', 'finished', '["photos"]', '/', ?, ?, ?, 1)`,
  );
  const job = prepare(
    `INSERT INTO jobs (batch, source, given, relative, naming, bytes, state, error_code, error_message, finished_at)
     VALUES (?, ?, ?, ?, 0, 1000, ?, ?, ?, ?)`,
  );
  const now = Date.now();
  const add = (id, jobs, ago) => {
    batch.run(id, JSON.stringify(options), now - ago - 1000, now - ago);
    for (let i = 0; i < jobs; i++) {
      const name = `IMG_${i}.jpg`;
      const failed = i % FAILED_EACH === 0;
      const error = failed ? ['corrupt', 'the picture is damaged'] : [null, null];
      job.run(
        id,
        `/photos/${id}/${name}`,
        `photos/${id}/${name}`,
        name,
        failed ? 'failed' : 'completed',
        ...error,
        now,
      );
    }
  };
  await write(() => add(SHOWN_ID, SHOWN, 0));
  for (let n = 1; n <= OTHERS; n++) await write(() => add(`b${n}`, (KEPT - SHOWN) / OTHERS, n * 60_000));
  close();
}
