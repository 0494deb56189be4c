import type { Calls, ProfilePart } from '../../model.ts';

export type Meter = ReturnType<typeof openMeter>;

/** Sums up calls and their milliseconds by name. */
export function openMeter(clock = () => performance.now()) {
  const of = new Map<string, Calls>();
  const calls = (name: string): Calls => of.get(name) ?? { calls: 0, ms: 0 };
  const add = (name: string, ms: number, more = 1) => {
    const before = calls(name);
    of.set(name, { calls: before.calls + more, ms: before.ms + ms });
  };

  /** Times only the waits for the next item. */
  async function* streamed(name: string, items: AsyncIterable<unknown>): AsyncGenerator<unknown> {
    add(name, 0);
    let since = clock();
    for await (const item of items) {
      add(name, clock() - since, 0);
      yield item;
      since = clock();
    }
    add(name, clock() - since, 0);
  }

  return {
    add,
    calls,
    /** Calls `work` and returns its result. Also times a promise until it settles, and a stream while it is read. */
    time(name: string, work: () => unknown): unknown {
      const started = clock();
      const end = () => add(name, clock() - started);
      const made = work();
      if (isStream(made)) return streamed(name, made);
      if (made instanceof Promise) made.then(end, end);
      else end();
      return made;
    },
    part(): ProfilePart {
      const sum = (each: (one: Calls) => number) => [...of.values()].reduce((so, one) => so + each(one), 0);
      return { calls: sum((one) => one.calls), ms: sum((one) => one.ms), of: Object.fromEntries(of) };
    },
  };
}

/** Wraps a port. Times each method under its name. */
export function metered<T extends object>(port: T, meter: Meter): T {
  return new Proxy(port, {
    get(target, name) {
      const own: unknown = Reflect.get(target, name);
      if (typeof own !== 'function') return own;
      return (...asked: unknown[]): unknown =>
        meter.time(String(name), () => Reflect.apply(own, target, asked));
    },
  });
}

function isStream(made: unknown): made is AsyncIterable<unknown> {
  return typeof made === 'object' && made !== null && Symbol.asyncIterator in made;
}
