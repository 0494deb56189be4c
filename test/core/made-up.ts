import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { openLocalSources } from '../../src/adapters/local-sources/index.ts';
import { openLocalStorage } from '../../src/adapters/local-storage.ts';
import { openSqliteIndex } from '../../src/adapters/sqlite-index/index.ts';
import { foldName } from '../../src/core/batch/names.ts';
import { type NewWork, runBatch } from '../../src/core/batch/run.ts';
import type { Ports } from '../../src/core/job/context.ts';
import { openMemoryBudget } from '../../src/core/queue/memory-budget.ts';
import { type ErrorCode, ImgtoolError } from '../../src/errors.ts';
import type {
  BatchFinished,
  BatchOptions,
  ChildrenSpent,
  Digested,
  Event,
  JobEvent,
  Order,
} from '../../src/model.ts';
import type { Index, Opened, Renderer } from '../../src/ports.ts';
import { makePlace } from '../place.ts';
import { batchOptions, sha, variant } from '../records.ts';

/** Real files, a real index, and a made-up renderer that can fail on demand. */
export interface Workshop {
  readonly index: Index;
  at(path: string): string;
  /** Writes sources that contain their own names and have old times. */
  put(...names: string[]): void;
  change(name: string, text: string): void;
  outputs(): string[];
  text(path: string): string;
  /** The ports and the work of a run. */
  prepare(
    command: NewWork['command'],
    over?: Partial<BatchOptions>,
    ports?: Partial<Ports>,
  ): Promise<{ readonly ports: Ports; readonly work: NewWork }>;
  run(over?: Partial<BatchOptions>, ports?: Partial<Ports>, signal?: AbortSignal): Promise<Event[]>;
}

/** Is called before a source is rendered. May throw. */
export type OnRender = (source: string, orders: readonly Order[]) => void;

let runs = 0;

export async function openWorkshop(onRender: OnRender): Promise<Workshop> {
  const place = makePlace();
  const at = (path: string) => join(place, path);
  const file = at('state/index.db');
  const index = await openSqliteIndex(file, foldName);
  const out = at('out');
  mkdirSync(out);
  mkdirSync(at('photos'));
  const change = (name: string, text: string) => {
    writeFileSync(at(`photos/${name}`), text);
    utimesSync(at(`photos/${name}`), 1_500_000_000, 1_500_000_000);
  };
  const prepare: Workshop['prepare'] = async (command, over = {}, ports = {}) => {
    const run = (++runs).toString(16).padStart(8, '0');
    const options = batchOptions({ out, preset: { name: 'test', variants: [variant()] }, ...over });
    const rules = { ...options.walk, out, index: file, hasFolders: true };
    const sources = await openLocalSources({ paths: ['photos'], list: null, cwd: place }, rules);
    const budget = openMemoryBudget(options.memory);
    const renderer = rendererWith(onRender);
    const made = { index, sources, storage: openLocalStorage(run), renderer, budget, run };
    return { ports: { ...made, ...ports }, work: { command, inputs: ['photos'], cwd: place, options } };
  };
  return {
    index,
    at,
    put: (...names) => {
      for (const name of names) change(name, name);
    },
    change,
    outputs: () => readdirSync(out).sort(),
    text: (path) => readFileSync(at(path), 'utf8'),
    prepare,
    async run(over, given, signal = new AbortController().signal) {
      const { ports, work } = await prepare('process', over, given);
      const events: Event[] = [];
      const finished = await runBatch(ports, work, (event) => events.push(event), signal);
      expect(events.at(-1)).toBe(finished);
      return events;
    },
  };
}

const NOTHING_SPENT: ChildrenSpent = {
  ...{ started: 0, cpu: 0, starting: 0, asked: {}, travel: 0, held: { before: 0, after: 0 } },
  idle: { first: 0, between: 0, last: 0 },
};

export function rendererWith(onRender: OnRender): Renderer {
  return {
    async open({ path: source }): Promise<Opened> {
      const { facts, digest } = digestOf(source);
      return {
        ...{ facts, digest, format: 'jpeg', width: 80, height: 60, pages: 1, memory: 1_000, ms: 1 },
        async render(orders, progress) {
          onRender(source, orders);
          const outputs = orders.map(({ path }, i) => {
            const text = pictureOf(digest);
            writeFileSync(path, text);
            progress?.({ done: i + 1, share: (i + 1) / orders.length });
            return { width: 40, height: 30, bytes: text.length, checksum: sha(text), metadata: null };
          });
          const ms = { decode: 1, encode: 1, resize: 0, write: 0, color: 0 };
          return { outputs, dominantColor: '#102030', encoder: 'none', degraded: false, ms };
        },
        close() {},
      };
    },
    digest: async (sources) => sources.map(({ path }) => digestOf(path)),
    inspect: async (path) => ({
      format: 'webp',
      width: 40,
      height: 30,
      metadata: [],
      digests: {},
      checksum: digestOf(path).digest,
    }),
    warm() {},
    spent: () => NOTHING_SPENT,
    about: async () => ({ versions: {}, reads: [], writes: [] }),
    kill() {},
    async close() {},
  };
}

function digestOf(path: string): Digested {
  const { size, mtimeNs, ctimeNs, ino } = statSync(path, { bigint: true });
  const facts = { size: Number(size), mtime: String(mtimeNs), ino: String(ino), ctime: String(ctimeNs) };
  return { facts, digest: sha(readFileSync(path, 'utf8')) };
}

/** The rendered output of a source with this digest. */
export function pictureOf(digest: string): string {
  return `picture of ${digest}`;
}

export function failure(code: ErrorCode): ImgtoolError {
  return new ImgtoolError(code, `${code}, as asked`);
}

export function jobOf(events: readonly Event[], name: string): JobEvent {
  const job = events.find((event) => event.type === 'job' && event.source === `photos/${name}`);
  if (job?.type !== 'job') throw new Error(`no event of ${name}: ${JSON.stringify(events)}`);
  return job;
}

export function finishedOf(events: readonly Event[]): BatchFinished {
  const event = events.at(-1);
  if (event?.type !== 'batch.finished') throw new Error('the batch did not end');
  return event;
}
