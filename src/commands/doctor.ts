import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Config, cores, memoryHere } from '../config.ts';
import type { Engine } from '../engine.ts';
import { asImgtoolError, ImgtoolError, orUndefined, repairCommand } from '../errors.ts';
import type { Check } from '../model/mended.ts';
import { backupText, doctorJson, doctorText, keptIn, repairedText } from '../report/doctor.ts';
import { count, counted } from '../report/format.ts';
import { aboutService, aboutSpace, failedCheck, LITTLE, MB, ok, problem, warning } from './checks.ts';
import { type Call, LOOKING, type Outcome, prepare, type Verb, withEngine } from './verb.ts';

/** inotify watches below which the user gets a warning, because large folder trees need more. */
const FEW_WATCHES = 65_536;

export const doctorVerb: Verb = {
  description: 'show what this machine can do and what is wrong with it',
  settings: LOOKING,
  options: [
    ['--repair', 'replace a damaged index with a new one that has everything that can be saved'],
    ['--backup <file>', 'save a copy of the index and of uploads, also while imgtool works'],
  ],
  examples: ['imgtool doctor', 'imgtool doctor --backup index-copy.db'],
  async run(call) {
    const { repair, backup } = call.options;
    if (repair === true || backup !== undefined) return repairOrBackUp(call);
    const { config, print } = await prepare(call);
    return withEngine(config, async (engine) => {
      const checks = await check(config, engine);
      await print(doctorJson(checks), (style) => doctorText(checks, style));
      return checks.some(({ state }) => state === 'problem') ? 'problem' : 'ok';
    });
  },
};

/** Repairs the index, or saves a copy of it and of the store. Errors: `usage`, and those of index and store. */
async function repairOrBackUp(call: Call): Promise<Outcome> {
  const { options, signal, hearSignals } = call;
  const { config, print } = await prepare(call);
  const file = options.backup as string | undefined;
  // The backup removes its unfinished copy when a signal stops it.
  if (file !== undefined) hearSignals();
  if (options.repair === true && file !== undefined) {
    throw new ImgtoolError('usage', '--repair and --backup: expected one of the two', {
      fix: 'one after the other: a repair keeps the damaged index anyway',
    });
  }
  if (file === '') throw new ImgtoolError('usage', '--backup: expected a file, got ""');
  const { backUp, repairIndex } = await import('../maintenance.ts');
  if (file !== undefined) {
    const saved = await backUp(config.index, resolve(config.cwd, file), signal);
    await print({ v: 1, ...saved }, (style) => backupText(saved, style));
    return 'ok';
  }
  const repair = await repairIndex(config.index);
  const store = (await aboutService(config)).find(({ name }) => name === 'store');
  await print({ v: 1, repair, store }, (style) => repairedText(repair, style, store));
  return store?.state === 'problem' ? 'problem' : 'ok';
}

async function check(config: Config, engine: Engine): Promise<Check[]> {
  return [
    ok('Node', `${process.version} on ${process.platform}`),
    ...(await aboutDecoders(engine)),
    await aboutIndex(config),
    ...(await aboutService(config)),
    aboutSpace('space for outputs', config.out, 'choose another --out'),
    aboutSpace('space for the index', config.index, 'choose another --index'),
    aboutCores(config),
    aboutMemory(config),
    ...aboutWatches(),
  ];
}

const WITHOUT_HEIC = warning(
  'HEIC',
  'photographs of iPhones cannot be read: libheif-js is not installed',
  'npm install --include=optional libheif-js',
);

async function aboutDecoders(engine: Engine): Promise<Check[]> {
  try {
    const { versions, reads, writes } = await engine.about();
    const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
    return [
      ok('pictures', named.join(', ')),
      ok('reads', reads.join(', ')),
      ...(reads.includes('heic') ? [] : [WITHOUT_HEIC]),
      ok('writes', writes.join(', ')),
    ];
  } catch (error) {
    const value = `pictures cannot be rendered: ${asImgtoolError(error).message}`;
    return [problem('pictures', value, 'npm install --include=optional sharp')];
  }
}

async function aboutIndex({ index: path, newIndex, isUsualIndex }: Config): Promise<Check> {
  const { checkIndex } = await import('../maintenance.ts');
  try {
    const health = await checkIndex(path);
    const none = `${path}: is not there; the first batch makes it`;
    if (newIndex !== undefined) return warning('index', none, 'check the path if you expect an index there');
    if (health.bytes === 0) return ok('index', none);
    const size = `${(health.bytes / MB).toFixed(1)} MB`;
    const value = `${path} (version ${health.version}, ${size}, ${keptIn(health)})`;
    if (health.problems.length === 0) return ok('index', value);
    const fix = isUsualIndex ? 'imgtool doctor --repair' : repairCommand(path);
    return problem('index', `${value}: ${health.problems.slice(0, 3).join('; ')}`, fix);
  } catch (error) {
    return failedCheck('index', error);
  }
}

function aboutCores({ jobs }: Config): Check {
  const usable = cores();
  const value = `${usable} usable, ${counted(jobs, 'image')} at a time`;
  if (jobs <= 2 * usable) return ok('cores', value);
  return warning('cores', value, `more than ${usable} at a time gains nothing: --jobs ${usable}`);
}

function aboutMemory({ memory }: Config): Check {
  const { free, total } = memoryHere();
  const [given, left, all] = [memory, free, total].map((bytes) => `${count(bytes / MB)} MB`);
  const value = `${left} free of ${all}; pictures in work may take ${given}`;
  if (memory > free) return warning('memory', value, 'give less with --memory');
  return free < LITTLE
    ? warning('memory', value, 'work on fewer images at a time: --jobs 1')
    : ok('memory', value);
}

/** The number of folders that can be watched. Linux only. */
function aboutWatches(): Check[] {
  const most = Number(orUndefined(() => readFileSync('/proc/sys/fs/inotify/max_user_watches', 'utf8')));
  if (!most) return [];
  const value = `${most} folders can be watched`;
  if (most >= FEW_WATCHES) return [ok('inotify', value)];
  return [warning('inotify', value, 'sudo sysctl fs.inotify.max_user_watches=524288')];
}
