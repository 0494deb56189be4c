import type { Calls, Event, PicturesSpent, ProfileEvent, ProfilePart } from '../../model.ts';
import type { Opened, Renderer } from '../../ports.ts';
import type { Ports } from '../job/context.ts';

/** Wraps ports and listener, and times each call. Emits the sums as `profile`, just before `batch.finished`. */
export function withProfile(ports: Ports, emit: (event: Event) => void) {
  const start = performance.now();
  const loop = performance.eventLoopUtilization();
  const [index, storage, sources] = [openMeter(), openMeter(), openMeter()];
  const [report, pictures] = [openMeter(), openMeter()];
  let jobs = 0;

  const profile = (batch: string): ProfileEvent => ({
    type: 'profile',
    ...{ batch, jobs, ms: performance.now() },
    parent: {
      ...{ start, cpu: cpu(), busy: performance.eventLoopUtilization(loop).active },
      ...{ index: index.part(), storage: storage.part(), sources: sources.part(), report: report.part() },
    },
    children: ports.renderer.spent(),
    pictures: spentOn(pictures),
  });

  return {
    ports: {
      ...ports,
      index: metered(ports.index, index),
      storage: metered(ports.storage, storage),
      sources: metered(ports.sources, sources),
      renderer: { ...ports.renderer, open: opening(ports.renderer, pictures) },
    },
    emit(event: Event) {
      if (event.type === 'batch.started') jobs = event.jobs;
      if (event.type === 'batch.finished') emit(profile(event.batch));
      report.time(event.type, () => emit(event));
    },
  };
}

/** Milliseconds of CPU time of all threads since the process was started. */
function cpu(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Collects the times that the renderer measures itself. */
function opening(renderer: Renderer, pictures: Meter): Renderer['open'] {
  return async (...asked): Promise<Opened> => {
    const opened = await renderer.open(...asked);
    pictures.add('digest', opened.ms);
    return {
      ...opened,
      async render(orders, progress) {
        const rendered = await opened.render(orders, progress);
        const { decode, color, ...ofOutputs } = rendered.ms;
        for (const [name, ms] of Object.entries({ decode, color })) pictures.add(name, ms);
        for (const [name, ms] of Object.entries(ofOutputs)) pictures.add(name, ms, orders.length);
        return rendered;
      },
    };
  };
}

function spentOn({ calls }: Meter): PicturesSpent {
  const [digest, decode, encode] = [calls('digest'), calls('decode'), calls('encode')];
  return { digest, decode, encode, resize: calls('resize'), write: calls('write'), color: calls('color') };
}

type Meter = ReturnType<typeof openMeter>;

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
