import type { fsync } from 'node:fs';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import type { Renderer } from '../../src/ports.ts';
import type { Tripwire } from './faulty.ts';

// The file system modules of the adapters, with calls that may fail. For `vi.mock`.

/** While `wire` is set, calls are counted and may fail. */
export const system = { wire: undefined as Tripwire | undefined };

type Call = (...given: unknown[]) => unknown;
type Module = Record<string, unknown>;

const LATER = [
  'chmod',
  'copyFile',
  'link',
  'lstat',
  'mkdir',
  'open',
  'opendir',
  'readdir',
  'realpath',
].concat(['rename', 'rm', 'rmdir', 'stat', 'unlink']);
const AT_ONCE = ['accessSync', 'closeSync', 'linkSync', 'lstatSync', 'mkdirSync', 'openSync'].concat([
  'renameSync',
  'rmSync',
  'statSync',
  'unlinkSync',
]);

/** A failing `node:fs/promises`. */
export function failingLater(real: Module): Module {
  const failing = LATER.map((name) => {
    const call = real[name] as Call;
    const step = async (...given: unknown[]) => {
      const result = await (system.wire?.step(nameOf(name, given), async () => call(...given)) ??
        call(...given));
      return name === 'open' ? failingHandle(result as object) : result;
    };
    return [name, step];
  });
  return { ...real, ...Object.fromEntries(failing) };
}

/** A failing `node:fs`. */
export function failingAtOnce(real: Module): Module {
  const stepOf = (name: string): [string, Call] => {
    const call = real[name] as Call;
    return [
      name,
      (...given) =>
        system.wire ? system.wire.now(nameOf(name, given), () => call(...given)) : call(...given),
    ];
  };
  const [, read] = stepOf('createReadStream');
  const createReadStream: Call = (...given) => {
    try {
      return read(...given);
    } catch (error) {
      return new Readable({ read: () => {} }).destroy(error as Error);
    }
  };
  const sync = real.fsync as typeof fsync;
  const failingSync = (file: number, done: (error: unknown) => void) => {
    const call = () => promisify(sync)(file);
    (system.wire?.step('fsync', call) ?? call()).then(() => done(null), done);
  };
  return { ...real, ...Object.fromEntries(AT_ONCE.map(stepOf)), createReadStream, fsync: failingSync };
}

/** The index stats its own file in each step. Such calls get their own name. */
function nameOf(call: string, [path]: readonly unknown[]): string {
  return call === 'statSync' && String(path).includes('/state/') ? `${call} of the index` : call;
}

/** An open file whose calls may fail too. */
function failingHandle<T extends object>(handle: T): T {
  return new Proxy(handle, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      const call = value.bind(target) as Call;
      const mayFail = ['sync', 'close', 'stat', 'read'].includes(String(name));
      return (...given: unknown[]) =>
        mayFail && system.wire
          ? system.wire.step(`handle.${String(name)}`, async () => call(...given))
          : call(...given);
    },
  });
}

/** A renderer whose calls are not counted: a real renderer makes them in another process. */
export function unwatched(renderer: Renderer): Renderer {
  return {
    ...renderer,
    open(...given) {
      const { wire } = system;
      system.wire = undefined;
      // `open` makes all its calls synchronously.
      const opened = renderer.open(...given);
      system.wire = wire;
      return opened;
    },
  };
}
