import { cpSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cuttings, manifold } from '../corpus.js';
import { median, range, table } from '../figures.js';
import { interleave, SYNCED } from '../interleave.js';
import { counted, processed } from '../peers/imgtool.js';
import { run, tell } from '../run.js';

const SIZE = { width: 424, height: 318 };

/** Bytes of photographs that are copies. */
const COPIED = 500e6;

/** Whatever the originals take hides what the copies cost. */
const LITTLE = ['--effort', '0'];
const WITHOUT = [...LITTLE, '--exclude', 'copies'];

/** Files with the bytes of others. */
export async function* duplicates({ place, folder, rounds, count = 10_000 }) {
  yield [
    '### Duplicates',
    '',
    'What copies cost is the difference between a batch of all files and one of the originals alone; its noise is the ' +
      'difference between one of the originals alone and the next such. From nothing, and with the originals done ' +
      `before. Preset web, \`${LITTLE.join(' ')}\`. \`sha256sum\` reads the copies, all in one process ` +
      `(\`xargs -0 sha256sum\`). ${rounds} rounds, milliseconds, whole commands, ${SYNCED}; the ratio is to \`sha256sum\`.`,
  ];
  const half = Math.floor(count / 2);
  const small = join(place, 'small');
  await cuttings(folder, half, SIZE, join(small, 'originals'));
  yield await costs(small, `${half} pictures of ${SIZE.width} × ${SIZE.height}`, half, 1, rounds);

  const photographs = join(place, 'photographs');
  const { files } = manifold(folder, 1, join(photographs, 'originals'));
  const times = Math.ceil(COPIED / files.reduce((sum, { bytes }) => sum + bytes, 0));
  yield await costs(photographs, `${files.length} photographs`, files.length, times, rounds);
}

/** Of the pictures in a folder `originals`, each copied so many times. */
async function costs(all, what, originals, copies, rounds) {
  for (let n = 1; n <= copies; n++)
    cpSync(join(all, 'originals'), join(all, 'copies', `${n}`), {
      recursive: true,
      preserveTimestamps: true,
    });
  tell(`  the first run over ${what}`);
  const done = `${all}-done`;
  await processed(all, done, WITHOUT);
  cpSync(`${done}.db`, `${done}.kept`);
  const sums = `find '${join(all, 'copies')}' -type f -print0 | xargs -0 sha256sum`;
  const times = await interleave(
    {
      sums: async () => (await run('sh', ['-c', sums])).ms,
      'originals, fresh': () => fresh(all, WITHOUT),
      'all, fresh': () => fresh(all, LITTLE),
      'originals, done': () => processed(all, done, WITHOUT),
      'all, originals done': () => undone(all, done),
    },
    rounds,
    true,
  );
  const { duplicate, unchanged } = await counted(all, done, LITTLE);
  if (duplicate !== originals * copies || unchanged !== originals)
    throw new Error(
      `${duplicate} duplicates and ${unchanged} unchanged, not ${originals * copies} and ${originals}`,
    );
  const rows = (name, without, all) => rowsOf(name, times[without], times[all], times.sums);
  return [
    `${what} and ${originals * copies} copies:`,
    '',
    ...table(
      ['what', 'median', 'range', 'ratio'],
      [
        row('`sha256sum` of the copies', times.sums, times.sums),
        ...rows('from nothing', 'originals, fresh', 'all, fresh'),
        ...rows('originals done before', 'originals, done', 'all, originals done'),
      ],
    ),
  ];
}

/** Milliseconds of a batch that finds nothing done, and leaves nothing. */
async function fresh(all, options) {
  const out = `${all}-fresh`;
  const ms = await processed(all, out, options);
  for (const end of ['', '.db', '.db-wal', '.db-shm'])
    rmSync(`${out}${end}`, { recursive: true, force: true });
  return ms;
}

/** Milliseconds of a batch that finds the originals done. What it adds is taken away again. */
async function undone(all, done) {
  const ms = await processed(all, done, LITTLE);
  if (existsSync(`${done}.db-wal`)) throw new Error('the index was not closed');
  rmSync(join(done, 'copies'), { recursive: true });
  cpSync(`${done}.kept`, `${done}.db`);
  return ms;
}

function rowsOf(name, without, all, sums) {
  const cost = all.map((ms, i) => ms - without[i]);
  const noise = without.slice(1).map((ms, i) => Math.abs(ms - without[i]));
  return [
    row(`${name}: the originals alone`, without, sums),
    row(`${name}: all files`, all, sums),
    row(`**${name}: what the copies cost**`, cost, sums),
    ...(noise.length > 0 ? [row(`${name}: noise of that`, noise, sums)] : []),
  ];
}

function row(what, ms, sums) {
  return [what, median(ms).toFixed(0), range(ms), (median(ms) / median(sums)).toFixed(2)];
}
