import type { Index, Staged, Storage } from '../../src/ports.ts';

/** Counts calls. Lets one call fail, or one call and all after it, before or after its work. */
export interface Tripwire {
  /** The calls that failed, by name. */
  readonly failed: readonly string[];
  step<T>(name: string, call: () => Promise<T>): Promise<T>;
  /** Like `step`, for a synchronous call. */
  now<T>(name: string, call: () => T): T;
}

export interface Fault {
  /** Number of the call that fails, from 1. */
  readonly at: number;
  readonly when: 'before' | 'after';
  /** Whether all later calls fail too. */
  readonly lasts?: boolean;
  error(name: string): Error;
  /** Whether a call is not counted and never fails. */
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

/** A port whose methods may fail, except those that return an AsyncIterable. */
function faulty<T extends object>(port: T, name: string, wire: Tripwire): T {
  const methods = Object.entries(port).map(([method, call]: [string, Method]) => {
    const step: Method = (...given) => wire.step(`${name}.${method}`, () => call(...given));
    return [method, call.constructor.name === 'AsyncGeneratorFunction' ? call : step];
  });
  return Object.fromEntries(methods) as T;
}
