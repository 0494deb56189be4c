import { statfsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Config, cores, memoryHere } from '../config.ts';
import { asImgtoolError, ImgtoolError, repairCommand } from '../errors.ts';
import type { Backup, Check, Repaired } from '../model/mended.ts';
import type { Index, Renderer } from '../ports.ts';

/** What `doctor` is to do instead of looking at everything. */
interface Mending {
  readonly repair: boolean;
  /** As given. */
  readonly backup: string | undefined;
}

const MB = 1_000_000;
/** Bytes below which a place or the machine is called short. */
const LITTLE_SPACE = 500 * MB;
const LITTLE_MEMORY = 500 * MB;
/** inotify watches below which a large tree cannot be watched. */
const FEW_WATCHES = 65_536;

/** `imgtool doctor`: what this machine can do and what is wrong with it. */
export async function doctor(
  config: Config,
  openIndex: () => Promise<Index>,
  openRenderer: () => Promise<Renderer>,
): Promise<Check[]> {
  return [
    { name: 'Node', state: 'ok', value: `${globalThis.process.version} on ${globalThis.process.platform}` },
    ...(await aboutEngine(openRenderer)),
    await aboutIndex(config, openIndex),
    aboutSpace('space for outputs', config.out, 'choose another --out'),
    aboutSpace('space for the index', config.index, 'choose another --index'),
    aboutCores(config),
    aboutMemory(config),
    ...(await aboutWatches()),
  ];
}

/** `imgtool doctor --repair` and `--backup`: one of the two. Errors: `usage` and those of the index. */
export async function mend(
  { repair, backup }: Mending,
  repairIndex: () => Promise<Repaired>,
  backUpIndex: (file: string) => Promise<Backup>,
  show: { repaired(what: Repaired): Promise<void>; backedUp(what: Backup): Promise<void> },
): Promise<void> {
  if (repair && backup !== undefined) {
    throw new ImgtoolError('usage', '--repair and --backup: expected one of the two', {
      fix: 'one after the other: a repair keeps the damaged index anyway',
    });
  }
  if (backup === '') throw new ImgtoolError('usage', '--backup: expected a file, got ""');
  if (backup !== undefined) await show.backedUp(await backUpIndex(backup));
  else await show.repaired(await repairIndex());
}

async function aboutEngine(openRenderer: () => Promise<Renderer>): Promise<Check[]> {
  const renderer = await openRenderer();
  try {
    const { versions, reads, writes } = await renderer.about();
    const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
    return [
      { name: 'pictures', state: 'ok', value: named.join(', ') },
      { name: 'reads', state: 'ok', value: reads.join(', ') },
      { name: 'writes', state: 'ok', value: writes.join(', ') },
    ];
  } catch (error) {
    const value = `pictures cannot be rendered: ${asImgtoolError(error).message}`;
    return [{ name: 'pictures', state: 'problem', value, fix: 'npm install --include=optional sharp' }];
  } finally {
    await renderer.close();
  }
}

async function aboutIndex({ index: path, origins }: Config, openIndex: () => Promise<Index>): Promise<Check> {
  try {
    const index = await openIndex();
    const { version, bytes, sources, outputs, batches, problems } = await index.health();
    await index.close();
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
    return { name: 'index', state: 'problem', value: message, fix };
  }
}

function aboutSpace(name: string, path: string, fix: string): Check {
  for (let place = path; ; place = dirname(place)) {
    try {
      const { bavail, bsize } = statfsSync(place);
      const free = bavail * bsize;
      const value = `${Math.round(free / MB)} MB free at ${place}`;
      return free < LITTLE_SPACE ? { name, state: 'warning', value, fix } : { name, state: 'ok', value };
    } catch (error) {
      if (place === dirname(place))
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

/** As reports spell it. */
function counted(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString('en-US')} ${n === 1 ? one : many}`;
}

/** Linux only: how many folders can be watched. */
async function aboutWatches(): Promise<Check[]> {
  const most = Number(await readFile('/proc/sys/fs/inotify/max_user_watches', 'utf8').catch(() => ''));
  if (!most) return [];
  const value = `${most} folders can be watched`;
  if (most >= FEW_WATCHES) return [{ name: 'inotify', state: 'ok', value }];
  const fix = 'sudo sysctl fs.inotify.max_user_watches=524288';
  return [{ name: 'inotify', state: 'warning', value, fix }];
}
