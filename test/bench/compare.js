import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { mean, median, ratio, seconds, table } from './figures.js';
import { interleave, SYNCED } from './interleave.js';
import { waysOf } from './peers/index.js';
import { likeness, referenceOf } from './reference.js';
import { tell } from './run.js';
import { WIDTHS } from './variants.js';

const VARIANTS = Object.keys(WIDTHS);

/**
 * The ways through a corpus: lines about their times, and then, unless `speedOnly`, lines about what came of those
 * pictures that are looked at.
 */
export async function* compare({ place, corpus, looked, ways: keys, rounds, cores, speedOnly }) {
  const found = await waysOf(keys, cores);
  const kept = (key) => join(place, 'kept', key);
  mkdirSync(join(place, 'kept'));
  const missing = found.missing.map((what) => `not found here, so not measured: ${what}`);
  const here = [];
  for (const way of found.here) {
    tell(`  first ${way.name}`);
    const failure = await attempt(way, corpus, kept(way.key));
    if (failure === null) here.push(way);
    else missing.push(`cannot do it here, so not measured: ${way.name} ${way.version} (${failure})`);
  }
  const out = join(place, 'out');
  const times = await interleave(
    Object.fromEntries(here.map(({ key, run }) => [key, () => discarded(run, corpus, out)])),
    rounds,
    true,
  );
  yield [
    ...speeds(here, times, corpus.files.length),
    '',
    `${rounds} rounds in turn, medians, whole commands, ${SYNCED}. Ratio: its time against imgtool's in the same round, the median of these. A name alone is the plain ` +
      'way, with the defaults of the program; "tuned" is the best way that we know:',
    '',
    ...here.map(({ name, version, how, command }) => `- ${name} (${version}): ${how}: \`${command}\``),
    ...missing.map((what) => `- ${what}`),
  ];
  if (!speedOnly) yield await outputs(here, looked, kept);
}

function speeds(ways, times, count) {
  const base = times.imgtool ?? Object.values(times)[0];
  return table(
    ['way', 's', 'range', 'images/s', 'ratio'],
    ways.map(({ key, name }) => [
      name,
      ...seconds(times[key]),
      ((count / median(times[key])) * 1000).toFixed(count < 1000 ? 2 : 0),
      `${ratio(times[key], base).toFixed(2)}×`,
    ]),
  );
}

async function outputs(ways, looked, kept) {
  const likenesses = await look(ways, looked, kept);
  return [
    'Their outputs:',
    '',
    ...table(
      ['way', 'MB', 'SSIM', 'sizes'],
      ways.map(({ key, name }) => [name, (bytesIn(kept(key)) / 1e6).toFixed(1), ...likenesses[key]]),
    ),
    '',
    `SSIM: mean over the outputs of ${looked.length} pictures, of luminance, against the source decoded at full size and ` +
      `scaled at once. Sizes: against those by the source's own ratio.`,
  ];
}

/** Why a way does not lead there, or null. What it makes is kept. */
async function attempt({ key, run }, corpus, out) {
  try {
    await run(corpus, out);
  } catch (error) {
    if (key === 'imgtool') throw error;
    return error.message.trim().split('\n').at(-1);
  }
  const [made, wanted] = [readdirSync(out).length, corpus.files.length * VARIANTS.length];
  return made === wanted ? null : `made ${made} outputs, not ${wanted}`;
}

async function discarded(run, corpus, out) {
  const ms = await run(corpus, out);
  for (const end of ['', '.db', '.db-wal', '.db-shm', '.json', '.deal', '.list']) {
    rmSync(`${out}${end}`, { recursive: true, force: true });
  }
  return ms;
}

const bytesIn = (folder) =>
  readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);

/** Of each way: mean SSIM, and how many outputs are of another size than they should be. */
async function look(ways, files, kept) {
  const found = new Map(ways.map(({ key }) => [key, []]));
  for (const [i, { path, name }] of files.entries()) {
    tell(`  looking at picture ${i + 1} of ${files.length}`);
    const reference = await referenceOf(path);
    for (const [key, likenesses] of found) {
      for (const variant of VARIANTS) {
        likenesses.push(await likeness(join(kept(key), `${name}_${variant}.webp`), reference[variant]));
      }
    }
  }
  return Object.fromEntries(
    [...found].map(([key, all]) => {
      const alike = all.filter((each) => each !== null);
      const others = all.length - alike.length;
      return [
        key,
        [mean(alike).toFixed(4), others === 0 ? 'as computed' : `${others} of ${all.length} differ`],
      ];
    }),
  );
}
