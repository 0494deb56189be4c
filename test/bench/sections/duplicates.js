import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cuttings, manifold } from '../corpus.js';
import { median, range, table } from '../figures.js';
import { interleave } from '../interleave.js';
import { counted, processed } from '../peers/imgtool.js';
import { run } from '../run.js';

const SIZE = { width: 424, height: 318 };

/** Bytes of photographs that are copies. */
const COPIED = 500e6;

/** Files with the bytes of others. */
export async function duplicates({ place, folder, rounds, count = 10_000 }) {
  const half = Math.floor(count / 2);
  const small = join(place, 'small');
  await cuttings(folder, half, SIZE, join(small, 'a'));
  cpSync(join(small, 'a'), join(small, 'b-1'), { recursive: true, preserveTimestamps: true });
  const photographs = join(place, 'photographs');
  const { files } = manifold(folder, 1, join(photographs, 'a'));
  const times = Math.ceil(COPIED / files.reduce((sum, { bytes }) => sum + bytes, 0));
  for (let n = 1; n <= times; n++)
    cpSync(join(photographs, 'a'), join(photographs, `b-${n}`), { recursive: true });
  return [
    '### Duplicates',
    '',
    `What copies cost is the difference of two batches: of all files, and of the originals alone; from nothing, and with ` +
      `the originals done before. \`sha256sum\` reads the copies, all in one process (\`xargs -0 sha256sum\`). ${rounds} rounds, ` +
      `milliseconds, whole commands; the ratio is to \`sha256sum\`.`,
    '',
    `${2 * half} pictures of ${SIZE.width} × ${SIZE.height}, of which ${half} are copies:`,
    '',
    ...(await costs(small, half, `${small}-out`, rounds)),
    '',
    `${(times + 1) * files.length} photographs, of which ${times * files.length} are copies:`,
    '',
    ...(await costs(photographs, times * files.length, `${photographs}-out`, rounds)),
  ];
}

async function costs(all, copies, out, rounds) {
  const originals = join(all, 'a');
  const fresh = (folder) => {
    for (const end of ['', '.db', '.db-wal', '.db-shm'])
      rmSync(`${out}${end}`, { recursive: true, force: true });
    return processed(folder, out);
  };
  const sums = `find '${all}'/b-* -type f -print0 | xargs -0 sha256sum`;
  const times = await interleave(
    {
      'all, fresh': () => fresh(all),
      sums: async () => (await run('sh', ['-c', sums])).ms,
      'originals, fresh': () => fresh(originals),
      'originals again': () => processed(originals, out),
      'all, originals done': () => processed(all, out),
    },
    rounds,
  );
  const { unchanged } = await counted(all, out);
  if (unchanged === undefined || copies > unchanged)
    throw new Error(`${unchanged} are done, not ${copies} and more`);
  const row = (what, ms) => [
    what,
    median(ms).toFixed(0),
    range(ms),
    (median(ms) / median(times.sums)).toFixed(2),
  ];
  const cost = (more, less) => times[more].map((ms, i) => ms - times[less][i]);
  return table(
    ['what', 'median', 'range', 'ratio'],
    [
      row('`sha256sum` of the copies', times.sums),
      row('all files, from nothing', times['all, fresh']),
      row('the originals alone, from nothing', times['originals, fresh']),
      row('**what the copies cost**', cost('all, fresh', 'originals, fresh')),
      row('all files, the originals done before', times['all, originals done']),
      row('the originals alone, done before', times['originals again']),
      row('**what the copies cost**', cost('all, originals done', 'originals again')),
    ],
  );
}
