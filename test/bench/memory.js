// npm run bench:memory [-- part... count...]: how much memory batches take at their peak. `folders` and `folder`: 500 and
// 50,000 tiny pictures in folders of a thousand or all in one; `photographs`: 60 and 1,000 real ones (../shared/photos,
// else test/fixtures/photos), preset web; both fresh and again. `giants`: a JPEG of 200 Mpx, baseline and progressive,
// within `--memory 1G`. All parts unless some are named, with other counts where they are given, the fewest first.
// `estimates`: the memory that is estimated for pictures of 12 Mpx, and the peak of the child that renders them; words
// beside it choose rows. Linux only; all of it takes some thirty minutes.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { header } from './figures.js';
import { estimates } from './memory-estimates.js';
import { peaks } from './memory-peak.js';
import { giant, photographs, tiny } from './memory-pictures.js';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const binary = join(root, 'bin/imgtool.js');
const photos = ['../shared/photos', 'test/fixtures/photos']
  .map((path) => resolve(root, path))
  .find(existsSync);
const words = process.argv.slice(2);
const named = words.filter((word) => /^\d+$/.test(word)).map(Number);
const parts = {
  folders: () => files(false),
  folder: () => files(true),
  photographs: ofPhotographs,
  giants,
  estimates: ofEstimates,
};
const chosen = words.filter((word) => word in parts);
const place = mkdtempSync(join(tmpdir(), 'imgtool-bench-'));
let child;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, stop);
try {
  const lines = header();
  for (const [name, measure] of Object.entries(parts)) {
    if (chosen.length === 0 || chosen.includes(name)) lines.push('', ...(await measure()));
  }
  process.stdout.write(`${lines.join('\n')}\n`);
} finally {
  clear();
}

async function files(flat) {
  const tinyVariant = ['--variant', 'thumbnail:w=150'];
  const lists = await measured([500, 50_000], (folder, count) => tiny(folder, count, { flat }), tinyVariant);
  return table(`Pictures of 16x16 in ${flat ? 'one folder' : 'folders of 1,000'}, one variant`, lists);
}

async function ofPhotographs() {
  const lists = await measured([60, 1_000], (folder, count) => photographs(folder, count, photos));
  return table('Photographs, preset web', lists);
}

/** Peaks of a batch of each count and of one more over what it has done. */
async function measured(counts, make, args) {
  const [fresh, again] = [[], []];
  for (const count of named.length > 0 ? named : counts) {
    const folder = join(place, `pictures-${count}`);
    await make(folder, count);
    for (const list of [fresh, again]) list.push({ count, ...(await batch(folder, `${folder}-out`, args)) });
    clearBelow(folder);
  }
  return { fresh, again };
}

/** A photograph. */
function anyPhoto() {
  return join(
    photos,
    readdirSync(photos).find((name) => /\.jpe?g$/i.test(name)),
  );
}

async function ofEstimates() {
  const rows = words.filter((word) => !(word in parts));
  const lines = await estimates(root, join(place, 'estimates'), anyPhoto(), rows);
  return [
    'Pictures of 4,000x3,000, estimate and peak of memory in MB, the peak as a part of the estimate:',
    '',
    ...lines,
  ];
}

async function giants() {
  const lists = {};
  const photo = anyPhoto();
  for (const progressive of [false, true]) {
    const folder = join(place, `giant-${progressive}`);
    mkdirSync(folder);
    await giant(join(folder, 'giant.jpg'), photo, { progressive });
    const args = ['--limit-pixels', '300M', '--memory', '1G'];
    const peak = await batch(folder, `${folder}-out`, args);
    lists[progressive ? 'progressive' : 'baseline'] = [{ count: 1, ...peak }];
    clearBelow(folder);
  }
  return table('A JPEG of 20,000x10,000, 4:2:0, preset web, `--memory 1G`', lists);
}

/** Peaks of one batch; throws where it failed. */
async function batch(folder, out, args = []) {
  const index = `${folder}.db`;
  const given = ['process', folder, '--out', out, '--index', index, '--no-config', ...args];
  const onSpawn = (started) => {
    child = started;
  };
  const { code, ...peak } = await peaks(binary, given, { onSpawn });
  if (code !== 0) throw new Error(`imgtool ${given.join(' ')} ended with ${code}`);
  return peak;
}

/** Peaks in MB, and those of the most files as a ratio to those of the fewest. */
function table(title, lists) {
  const cells = (name) => (each, first) => {
    const ratio = each === first ? '' : ` (${(each[name] / first[name]).toFixed(2)})`;
    return `${(each[name] / 1e6).toFixed(0)}${ratio}`;
  };
  return [
    `${title}; peaks in MB (ratio to the fewest):`,
    '',
    '| batch | files | parent, RSS | tree, PSS | tree, RSS | seconds |',
    '|---|---|---|---|---|---|',
    ...Object.entries(lists).flatMap(([name, all]) =>
      all.map((each) => {
        const figures = ['parent', 'pss', 'rss'].map((kind) => cells(kind)(each, all[0]));
        return `| ${[name, each.count, ...figures, each.seconds.toFixed(1)].join(' | ')} |`;
      }),
    ),
  ];
}

function clearBelow(folder) {
  for (const path of readdirSync(place)) {
    if (join(place, path).startsWith(folder)) rmSync(join(place, path), { recursive: true, force: true });
  }
}

function stop() {
  child?.kill('SIGKILL');
  clear();
  process.exit(130);
}

function clear() {
  rmSync(place, { recursive: true, force: true, maxRetries: 5 });
}
