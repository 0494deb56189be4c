import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect } from 'vitest';
import { openLocalObjects } from '../../src/adapters/local-storage/objects.ts';
import { openSqliteStore } from '../../src/adapters/store/sqlite.ts';
import { createWorkerPool } from '../../src/adapters/worker-pool.ts';
import type { Clock } from '../../src/core/clock.ts';
import { openMemoryBudget } from '../../src/core/queue/memory-budget.ts';
import type { Image, Preset } from '../../src/model.ts';
import type { Renderer } from '../../src/ports.ts';
import type { Worker } from '../../src/serve/context.ts';
import type { ServeEvent } from '../../src/serve/events.ts';
import type { ImageTools } from '../../src/serve/job.ts';
import { stagedKey } from '../../src/serve/keys.ts';
import { startWorker } from '../../src/serve/work.ts';
import { BUILT_IN } from '../../src/variants/presets.ts';
import { workerPath } from '../adapters/children.ts';
import { makePlace } from '../place.ts';
import { batchOptions, sha } from '../records.ts';

export const photo = (name: string): Buffer =>
  readFileSync(fileURLToPath(new URL(`../fixtures/photos/${name}`, import.meta.url)));

export const presetOf = (name: string): Preset => BUILT_IN.find((preset) => preset.name === name)!;

type EventOf<T extends ServeEvent['type']> = Extract<ServeEvent, { type: T }>;

/** What a sweep needs, while no worker has images. */
export const unserved = ({ tools }: Serving) => ({ ...tools, worker: { drop: async () => {} } });

/** What closes at the end of a test. */
const closes: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closes.splice(0).reverse()) await close();
});

export type Serving = Awaited<ReturnType<typeof openServing>>;

/** Store, storage and child processes of a service. Its worker starts when the test asks. */
export async function openServing(over: Partial<ImageTools> = {}, root = join(makePlace(), 'storage')) {
  const objects = openLocalObjects(root);
  await objects.prepare();
  const store = await openSqliteStore(join(root, '../state.serve.db'));
  const events: ServeEvent[] = [];
  const readers = new Set<(event: ServeEvent) => void>();
  const renderer: Renderer = over.renderer ?? createWorkerPool({ size: 2, workerPath });
  const options = batchOptions();
  const tools: ImageTools = {
    ...{ store, objects, renderer, budget: openMemoryBudget(options.memory), options },
    emit(event) {
      events.push(event);
      for (const reader of readers) reader(event);
    },
    ...over,
  };
  closes.push(async () => {
    await renderer.close();
    await tools.store.close();
  });

  /** Resolves with the first event that fits, which may be an earlier one. */
  function event<T extends ServeEvent['type']>(type: T, fits: (event: EventOf<T>) => boolean = () => true) {
    const isIt = (one: ServeEvent): one is EventOf<T> => one.type === type && fits(one as EventOf<T>);
    return new Promise<EventOf<T>>((resolve) => {
      const known = events.find(isIt);
      if (known !== undefined) return resolve(known);
      const reader = (one: ServeEvent) => {
        if (!isIt(one)) return;
        readers.delete(reader);
        resolve(one);
      };
      readers.add(reader);
    });
  }

  return {
    ...{ root, store: tools.store, objects: tools.objects, tools, events, event },
    start(clock?: Clock): Worker {
      const worker = startWorker(tools, clock);
      closes.push(() => worker.stop(0));
      return worker;
    },
    /** Uploads pictures in one batch, and returns the ids of their images. */
    async upload(
      files: readonly Buffer[],
      {
        preset = presetOf('web'),
        owner = 'ann',
        bucket = 'photos',
      }: { preset?: Preset; owner?: string; bucket?: string } = {},
    ): Promise<string[]> {
      const images = [];
      for (const [i, bytes] of files.entries()) {
        const id = randomUUID();
        const one = await objects.stage(stagedKey(id));
        writeFileSync(one.path, bytes, { flag: 'wx' });
        await objects.commit([one]);
        images.push({
          ...{ id, job: randomUUID(), name: `${i}.jpg`, metadata: null, staged: stagedKey(id), error: null },
          uploaded: { digest: sha(bytes), bytes: bytes.length },
        });
      }
      const batch = { id: randomUUID(), owner, bucket, preset };
      const accepted = await tools.store.accept({ ...batch, priority: 1, images, quota: null, key: null });
      expect(accepted.type).toBe('accepted');
      return images.map(({ id }) => id);
    },
    ended: (id: string) => event('image.ended', (one) => one.id === id),
    async image(id: string): Promise<Image> {
      const image = await tools.store.image('all', id);
      if (image === undefined) throw new Error(`there is no image ${id}`);
      return image;
    },
    /** All files in storage, staged ones included. The lock of a service is none of them. */
    files(): string[] {
      if (!existsSync(root)) return [];
      return readdirSync(root, { recursive: true, withFileTypes: true })
        .filter((one) => !one.isDirectory())
        .map((one) => join(one.parentPath, one.name).slice(root.length + 1))
        .filter((path) => !path.startsWith('.imgtool.runs/'))
        .sort();
    },
  };
}
