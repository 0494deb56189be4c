import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'vitest';
import { runWatch } from '../../src/core/watch/watch.ts';
import type { BatchFinished, BatchOptions, Event, JobEvent, WatchOptions } from '../../src/model.ts';
import type { Hint, Sources } from '../../src/ports.ts';
import type { Workshop } from './made-up.ts';
import { type MadeUpClock, makeClock } from './made-up-clock.ts';

export const SETTLE = 1_000;

/** A watch over a workshop's real files. Only the test reports changes and moves the clock. */
export interface Watching {
  readonly clock: MadeUpClock;
  readonly events: readonly Event[];
  /** The walks so far: absolute paths, or undefined for a walk through everything. */
  readonly walks: readonly (string | undefined)[];
  hint(hint: Hint): void;
  /** Reports changes of these sources. */
  changed(...names: string[]): void;
  /** Writes a source, reports the change, and waits until the file is settling. */
  write(name: string, text?: string): Promise<void>;
  /** Waits until the watch is idle, and lets this many milliseconds pass. */
  pass(milliseconds: number): Promise<void>;
  /** Waits until the watch is idle: it waits only for the clock or for hints. */
  idle(): Promise<void>;
  /** Waits for an event of this type, and resolves to the first one. */
  waitFor<T extends Event['type']>(type: T): Promise<Extract<Event, { type: T }>>;
  /** Waits until a source's job ends in this state, and resolves to its last event. */
  job(name: string, state: JobEvent['state']): Promise<JobEvent>;
  stop(): Promise<BatchFinished>;
  readonly finished: Promise<BatchFinished>;
}

export interface WatchingOptions extends Partial<WatchOptions> {
  readonly batch?: Partial<BatchOptions>;
  readonly ports?: NonNullable<Parameters<Workshop['prepare']>[2]>;
  /** Called before each walk. */
  readonly onWalk?: (at: string | undefined) => Promise<void> | void;
}

export async function watchOf(shop: Workshop, over: WatchingOptions = {}): Promise<Watching> {
  const { batch, ports: given, onWalk, ...options } = over;
  const { ports, work } = await shop.prepare('watch', batch, given);
  const clock = makeClock();
  const events: Event[] = [];
  const walks: (string | undefined)[] = [];
  const stopped = new AbortController();
  let walking = 0;
  let receive: (hint: Hint) => void = () => {
    throw new Error('no watch is running');
  };
  const sources: Sources = {
    ...ports.sources,
    async *walk(signal, part) {
      walks.push(part?.at);
      walking++;
      await onWalk?.(part?.at);
      yield* ports.sources.walk(signal, part);
      walking--;
    },
    watch(given) {
      receive = given;
      return { folders: 1, by: 'events', blind: () => [], close: async () => {} };
    },
  };
  const all: WatchOptions = {
    ...{ settle: SETTLE, scanInterval: 3_600_000, existing: true, poll: false, mirror: false, once: false },
    ...options,
  };
  const emit = (event: Event) => void events.push(event);
  let isOver = false;
  const finished = runWatch({ ...ports, sources }, work, all, emit, stopped.signal, clock).finally(() => {
    isOver = true;
  });

  const until = async (holds: () => boolean) => {
    while (!holds()) await turn();
  };
  const idle = async () => {
    // One step of the watch takes several turns of the event loop. A waiting watch has a timer.
    for (let quiet = 0; quiet < 5; quiet++) {
      if (clock.waiting === 0 || walking > 0) quiet = 0;
      if (isOver) return;
      await turn();
    }
  };
  const changed = (...names: string[]) => {
    for (const name of names) receive({ type: 'changed', path: shop.at(`photos/${name}`) });
  };
  return {
    ...{ clock, events, walks, finished, idle, changed },
    hint: (hint) => receive(hint),
    async write(name, text = name) {
      const before = walks.length;
      shop.change(name, text);
      changed(name);
      await until(() => walks.length > before);
      await idle();
    },
    async pass(milliseconds) {
      await idle();
      await clock.advance(milliseconds);
      await idle();
    },
    async waitFor<T extends Event['type']>(type: T) {
      const find = () => events.find((event): event is Extract<Event, { type: T }> => event.type === type);
      await until(() => find() !== undefined);
      return find()!;
    },
    async job(name, state) {
      const find = () =>
        events.findLast(
          (event): event is JobEvent =>
            event.type === 'job' && event.source === `photos/${name}` && event.state === state,
        );
      await until(() => find() !== undefined);
      return find()!;
    },
    async stop() {
      stopped.abort();
      const end = await finished;
      expect(events.at(-1)).toBe(end);
      return end;
    },
  };
}
