// npm run bench [-- folder rounds]: images a second of `imgtool process`, against the same outputs by a plain sharp
// loop with as many at a time, in turn, medians; whole commands, and the work alone without the start of Node and
// libraries, as each tells it. Run it on a quiet machine.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { header, median } from './figures.js';

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '../..');
const photos = ['../shared/photos', 'test/fixtures/photos']
  .map((path) => resolve(root, path))
  .find(existsSync);
const folder = resolve(process.argv[2] ?? photos);
const rounds = Number(process.argv[3] ?? 7);
const atATime = String(availableParallelism());
const images = readdirSync(folder).filter((name) => /\.jpe?g$/i.test(name)).length;
const place = mkdtempSync(join(tmpdir(), 'imgtool-bench-'));

const ways = {
  'plain sharp loop': (out) => [join(here, 'plain.js'), folder, out, atATime],
  imgtool: (out) => [
    ...[join(root, 'bin/imgtool.js'), 'process', folder, '--out', out, '--index', `${out}.db`],
    ...['--jobs', atATime, '--progress', 'none', '--quiet', '--no-config', '--json'],
  ],
};

try {
  const times = Object.fromEntries(Object.keys(ways).map((name) => [name, { whole: [], work: [] }]));
  for (let round = 0; round <= rounds; round++) {
    for (const [name, command] of Object.entries(ways)) {
      const out = join(place, `${round}-${name.replaceAll(' ', '-')}`);
      const started = performance.now();
      const told = execFileSync(process.execPath, command(out), {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      const whole = performance.now() - started;
      const last = JSON.parse(told.trim().split('\n').at(-1));
      // The first round only fills the caches of the disk.
      if (round > 0) times[name].whole.push(whole);
      if (round > 0) times[name].work.push(last.ms ?? last);
      rmSync(out, { recursive: true, force: true });
    }
  }
  report(times);
} finally {
  rmSync(place, { recursive: true, force: true });
}

function report(times) {
  const plain = times['plain sharp loop'];
  const figures = (all, base) => {
    const ms = median(all);
    const spread = `${(Math.min(...all) / 1000).toFixed(2)}–${(Math.max(...all) / 1000).toFixed(2)}`;
    return [
      (ms / 1000).toFixed(2),
      spread,
      ((images / ms) * 1000).toFixed(1),
      (median(base) / ms).toFixed(2),
    ];
  };
  const lines = Object.entries(times).flatMap(([name, { whole, work }]) => [
    [name, 'whole command', ...figures(whole, plain.whole)],
    [name, 'work alone', ...figures(work, plain.work)],
  ]);
  process.stdout.write(
    [
      `${images} photographs, preset web, ${atATime} at a time, median of ${rounds} rounds`,
      ...header(),
      '',
      '| way | measured | s | range | images/s | ratio |',
      '|---|---|---|---|---|---|',
      ...lines.map((cells) => `| ${cells.join(' | ')} |`),
      '',
    ].join('\n'),
  );
}
