import type { Index, Staged, Storage } from '../../src/ports.ts';

/** Ports of which one call fails. */

/** Counts calls and lets one of them fail, before it does anything or when all is done; or that one and all that follow. */
export interface Tripwire {
  /** The calls that failed, by name. */
  readonly failed: readonly string[];
  step<T>(name: string, call: () => Promise<T>): Promise<T>;
  /** The same for a call that answers at once. */
  now<T>(name: string, call: () => T): T;
}

export interface Fault {
  /** 1 is the first call. */
  readonly at: number;
  readonly when: 'before' | 'after';
  /** All that follow fail too. */
  readonly lasts?: boolean;
  /** What that call fails with. */
  error(name: string): Error;
  /** Calls that are not counted. */
  spares?(name: string): boolean;
}

export function setTripwire({ at, when, lasts, error, spares }: Fault): Tripwire {
  let calls = 0;
  const failed: string[] = [];
  const isIt = (name: string) => {
    if (spares?.(name) || !(++calls === at || (calls > at && lasts === true))) return false;
    failed.push(name);
    return true;
  };
  return {
    failed,
    async step(name, call) {
      const fails = isIt(name);
      if (fails && when === 'before') throw error(name);
      const result = await call();
      if (fails) throw error(name);
      return result;
    },
    now(name, call) {
      const fails = isIt(name);
      if (fails && when === 'before') throw error(name);
      const result = call();
      if (fails) throw error(name);
      return result;
    },
  };
}

export function faultyIndex(index: Index, wire: Tripwire): Index {
  return faulty(index, 'index', wire);
}

export function faultyStorage(storage: Storage, wire: Tripwire): Storage {
  const port = faulty(storage, 'storage', wire);
  const watched = (one: Staged): Staged => ({
    ...one,
    discard: () => wire.step('storage.discard', one.discard),
  });
  return {
    ...port,
    stage: async (path) => watched(await port.stage(path)),
    stageFrom: async (from, path, how) => watched(await port.stageFrom(from, path, how)),
  };
}

type Method = (...given: unknown[]) => Promise<unknown>;

/** Each method of a port, as one that may fail; those read in pages are left as they are. */
function faulty<T extends object>(port: T, name: string, wire: Tripwire): T {
  const methods = Object.entries(port).map(([method, call]: [string, Method]) => {
    const step: Method = (...given) => wire.step(`${name}.${method}`, () => call(...given));
    return [method, call.constructor.name === 'AsyncGeneratorFunction' ? call : step];
  });
  return Object.fromEntries(methods) as T;
}
