// npm run bench:watch [-- photograph rounds]: what a watch adds to the work itself. How long a photograph that lands in an idle
// watch takes until its last output is there, less the settle time, against the same file's own time in `process`
// after a first image; and how long a walk through 100,000 files takes against `find`. Run it on a quiet machine.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  watch as watchFolder,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { commented } from './corpus.js';
import { figures, header } from './figures.js';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const binary = join(root, 'bin/imgtool.js');
const photo = resolve(process.argv[2] ?? join(root, 'test/fixtures/photos/sunset.jpg'));
const rounds = Number(process.argv[3] ?? 20);
const place = mkdtempSync(join(tmpdir(), 'imgtool-bench-'));
const settle = 500;

try {
  const lines = [...(await landing()), '', ...(await walking())];
  process.stdout.write(`${[...header(), '', ...lines].join('\n')}\n`);
} finally {
  rmSync(place, { recursive: true, force: true });
}

async function landing() {
  const bytes = readFileSync(photo);
  const inbox = join(place, 'inbox');
  mkdirSync(inbox);
  writeFileSync(join(inbox, 'first.jpg'), commented(bytes, 'first'));
  const watch = start(['watch', inbox, '--out', join(place, 'watched'), '--settle', `${settle}ms`]);
  await watch.told('job');
  const [landed, own] = [[], []];
  for (let round = 0; round <= rounds; round++) {
    const name = `photo-${round}`;
    const source = commented(bytes, name);
    const isLast = lastOutput(join(place, 'watched'), name);
    const done = watch.told('job');
    writeFileSync(join(inbox, `${name}.jpg`), source);
    const closed = performance.now();
    await shown(isLast);
    const took = performance.now() - closed - settle;
    await done;
    const alone = await byProcess(source, round);
    // The first round only fills the caches.
    if (round === 0) continue;
    landed.push(took);
    own.push(alone);
  }
  await watch.end();
  return [
    `One photograph (${photo.slice(root.length + 1)}), ${rounds} rounds, milliseconds:`,
    ...figures({ '`ms.total` in process': own, 'lands in a watch, less settle time': landed }),
  ];
}

/** Its own time in `process` once a first image has warmed the child. */
async function byProcess(bytes, round) {
  const folder = join(place, `alone-${round}`);
  mkdirSync(folder);
  writeFileSync(join(folder, 'a.jpg'), commented(bytes, 'before'));
  writeFileSync(join(folder, 'b.jpg'), bytes);
  const told = execFileSync(process.execPath, [
    ...[binary, 'process', '--json', '--no-config', '--jobs', '1'],
    ...['--index', join(folder, 'i.db'), '--out', join(folder, 'out'), folder],
  ]);
  const jobs = told.toString().trim().split('\n').map(JSON.parse);
  return jobs.find(({ source }) => source?.endsWith('b.jpg')).ms.total;
}

async function walking() {
  const tree = join(place, 'tree');
  for (let folder = 0; folder < 1_000; folder++) {
    const path = join(tree, `album-${String(folder).padStart(4, '0')}`);
    mkdirSync(path, { recursive: true });
    for (let file = 0; file < 100; file++) writeFileSync(join(path, `IMG_${file}.jpg`), 'x');
  }
  const watch = start([
    'watch',
    tree,
    '--out',
    join(place, 'none'),
    '--no-existing',
    '--scan-interval',
    '1s',
  ]);
  const { folders } = await watch.told('watching');
  const [walks, finds] = [[], []];
  for (let round = 0; round <= 7; round++) {
    const { ms, sources } = await watch.told('scanned');
    if (sources !== 100_000) throw new Error(`a walk met ${sources}`);
    const started = performance.now();
    execFileSync('find', [tree, '-type', 'f', '-printf', '%s %T@ %i\n'], { maxBuffer: 2 ** 28 });
    if (round > 0) finds.push(performance.now() - started);
    if (round > 0) walks.push(ms);
  }
  await watch.end();
  const idle = await atRest(tree);
  return [
    '100,000 files in 1,000 folders, 7 rounds, milliseconds:',
    ...figures({ 'find -type f -printf': finds, 'a walk of a watch': walks }),
    '',
    `${folders} folders, ${idle.watches} inotify watches, ${idle.megabytes} MB resident, ${idle.cpu} ms of CPU in ${idle.seconds} s at rest`,
  ];
}

/** What a watch costs while nothing happens. */
async function atRest(tree) {
  const watch = start(['watch', tree, '--out', join(place, 'none'), '--no-existing']);
  await watch.told('watching');
  const seconds = 10;
  await sleep(3_000);
  const before = cpuOf(watch.pid);
  await sleep(seconds * 1_000);
  const cpu = cpuOf(watch.pid) - before;
  const infos = `/proc/${watch.pid}/fdinfo`;
  const watches = readdirSync(infos)
    .map((fd) => readFileSync(join(infos, fd), 'utf8').match(/^inotify wd/gm)?.length ?? 0)
    .reduce((sum, each) => sum + each, 0);
  const resident = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${watch.pid}/status`, 'utf8'))?.[1];
  await watch.end();
  return { seconds, cpu, watches, megabytes: Math.round(Number(resident) / 1_000) };
}

/** Milliseconds, in the ticks of the kernel. */
function cpuOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** A binary that tells events; `told` is the next one of a type. */
function start(args) {
  const index = join(place, `index-${start.count++}.db`);
  const child = spawn(process.execPath, [binary, ...args, '--json', '--no-config', '--index', index], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const waiting = new Map();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const event = JSON.parse(line);
    waiting.get(event.type)?.(event);
    waiting.delete(event.type);
  });
  return {
    pid: child.pid,
    told: (type) => new Promise((resolve) => waiting.set(type, resolve)),
    async end() {
      child.kill('SIGINT');
      await once(child, 'close');
    },
  };
}
start.count = 0;

/** Resolves when something changed in the folder of the outputs and then `isLast`; looking all the time would slow it. */
async function shown(isLast) {
  const changes = watchFolder(join(place, 'watched'));
  await new Promise((resolve) => changes.on('change', () => isLast() && resolve()));
  changes.close();
}

/** Whether all three outputs of a name are there. */
function lastOutput(out, name) {
  const paths = ['thumbnail', 'medium', 'large'].map((variant) => join(out, `${name}_${variant}.webp`));
  return () => paths.every((path) => statSync(path, { throwIfNoEntry: false }) !== undefined);
}
