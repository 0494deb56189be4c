import { statfsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type Config, cores, hintAsFlags, memoryHere } from '../config.ts';
import type { Engine } from '../engine.ts';
import { asImgtoolError, ImgtoolError, repairCommand } from '../errors.ts';
import type { Check } from '../model/mended.ts';
import { type Call, configOf, engineOf, LOOKING, type Outcome, pagesFor, type Verb } from './verb.ts';

const MB = 1_000_000;
/** Free bytes below which a folder or the machine gets a warning. */
const LITTLE_SPACE = 500 * MB;
const LITTLE_MEMORY = 500 * MB;
/** inotify watches below which the user gets a warning, because large folder trees need more. */
const FEW_WATCHES = 65_536;

export const doctorVerb: Verb = {
  description: 'what this machine can do and what is wrong with it',
  settings: LOOKING,
  options: [
    ['--repair', 'put a new index with all that can be saved in place of a damaged one'],
    ['--backup <file>', 'save a copy of the index, also while batches run'],
  ],
  async run(call) {
    const { repair, backup } = call.options;
    if (repair === true || backup !== undefined) return repairOrBackUp(call);
    const config = await configOf(call);
    const pages = await pagesFor(call, config);
    const engine = await engineOf(config);
    try {
      const checks = await check(config, engine);
      await pages.checks(checks);
      return checks.some(({ state }) => state === 'problem') ? 'problem' : 'ok';
    } finally {
      await engine.close();
    }
  },
};

/** Repairs the index, or saves a copy of it. Errors: `usage` and the errors of the index. */
async function repairOrBackUp(call: Call): Promise<Outcome> {
  const { options, signal, hearSignals } = call;
  const config = await configOf(call);
  const file = options.backup as string | undefined;
  // The backup removes its unfinished copy when a signal stops it.
  if (file !== undefined) hearSignals();
  const pages = await pagesFor(call, config);
  if (options.repair === true && file !== undefined) {
    throw new ImgtoolError('usage', '--repair and --backup: expected one of the two', {
      fix: 'one after the other: a repair keeps the damaged index anyway',
    });
  }
  if (file === '') throw new ImgtoolError('usage', '--backup: expected a file, got ""');
  const engine = await engineOf(config);
  if (file !== undefined) await pages.backedUp(await engine.backUp(resolve(config.cwd, file), signal));
  else await pages.repaired(await engine.repair());
  return 'ok';
}

async function check(config: Config, engine: Engine): Promise<Check[]> {
  return [
    { name: 'Node', state: 'ok', value: `${process.version} on ${process.platform}` },
    ...(await aboutDecoders(engine)),
    await aboutIndex(config, engine),
    aboutSpace('space for outputs', config.out, 'choose another --out'),
    aboutSpace('space for the index', config.index, 'choose another --index'),
    aboutCores(config),
    aboutMemory(config),
    ...(await aboutWatches()),
  ];
}

async function aboutDecoders(engine: Engine): Promise<Check[]> {
  try {
    const { versions, reads, writes } = await engine.about();
    const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
    return [
      { name: 'pictures', state: 'ok', value: named.join(', ') },
      { name: 'reads', state: 'ok', value: reads.join(', ') },
      { name: 'writes', state: 'ok', value: writes.join(', ') },
    ];
  } catch (error) {
    const value = `pictures cannot be rendered: ${asImgtoolError(error).message}`;
    return [{ name: 'pictures', state: 'problem', value, fix: 'npm install --include=optional sharp' }];
  }
}

async function aboutIndex({ index: path, origins }: Config, engine: Engine): Promise<Check> {
  try {
    const { version, bytes, sources, outputs, batches, problems } = await engine.health();
    const size = `${(bytes / MB).toFixed(1)} MB`;
    const holds = [
      counted(sources, 'source'),
      counted(outputs, 'output'),
      counted(batches, 'batch', 'batches'),
    ];
    const value = `${path} (version ${version}, ${size}, ${holds.join(', ')})`;
    if (problems.length === 0) return { name: 'index', state: 'ok', value };
    const isUsual = origins.some(({ key, origin }) => key === 'index' && origin === 'default');
    const fix = isUsual ? 'imgtool doctor --repair' : repairCommand(path);
    return { name: 'index', state: 'problem', value: `${value}: ${problems.slice(0, 3).join('; ')}`, fix };
  } catch (error) {
    const { message, fix } = asImgtoolError(error);
    return { name: 'index', state: 'problem', value: message, fix: fix && hintAsFlags(fix) };
  }
}

function aboutSpace(name: string, path: string, fix: string): Check {
  for (let folder = path; ; folder = dirname(folder)) {
    try {
      const { bavail, bsize } = statfsSync(folder);
      const free = bavail * bsize;
      const value = `${Math.round(free / MB)} MB free at ${folder}`;
      return free < LITTLE_SPACE ? { name, state: 'warning', value, fix } : { name, state: 'ok', value };
    } catch (error) {
      if (folder === dirname(folder))
        return { name, state: 'problem', value: asImgtoolError(error).message, fix };
    }
  }
}

function aboutCores({ jobs }: Config): Check {
  const usable = cores();
  const value = `${usable} usable, ${jobs} images at a time`;
  if (jobs <= 2 * usable) return { name: 'cores', state: 'ok', value };
  return {
    name: 'cores',
    state: 'warning',
    value,
    fix: `more than ${usable} at a time gains nothing: --jobs ${usable}`,
  };
}

function aboutMemory({ memory }: Config): Check {
  const { free, total } = memoryHere();
  const value = `${megabytes(free)} free of ${megabytes(total)}; pictures in work may take ${megabytes(memory)}`;
  if (memory > free) return { name: 'memory', state: 'warning', value, fix: 'give less with --memory' };
  if (free >= LITTLE_MEMORY) return { name: 'memory', state: 'ok', value };
  return { name: 'memory', state: 'warning', value, fix: 'work on fewer images at a time: --jobs 1' };
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / MB).toLocaleString('en-US')} MB`;
}

/** Counts in the wording of the reports. */
function counted(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString('en-US')} ${n === 1 ? one : many}`;
}

/** The number of folders that can be watched. Linux only. */
async function aboutWatches(): Promise<Check[]> {
  const most = Number(await readFile('/proc/sys/fs/inotify/max_user_watches', 'utf8').catch(() => ''));
  if (!most) return [];
  const value = `${most} folders can be watched`;
  if (most >= FEW_WATCHES) return [{ name: 'inotify', state: 'ok', value }];
  const fix = 'sudo sysctl fs.inotify.max_user_watches=524288';
  return [{ name: 'inotify', state: 'warning', value, fix }];
}
