import { mkdirSync, readdirSync, renameSync, rmdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createWorkerPool } from '../../src/adapters/worker-pool.ts';
import { openMemoryBudget } from '../../src/core/queue/memory-budget.ts';
import { ImgtoolError } from '../../src/errors.ts';
import type { Renderer } from '../../src/ports.ts';
import type { ServeEvent } from '../../src/serve/events.ts';
import { openService } from '../../src/serve/open.ts';
import { workerPath } from '../adapters/children.ts';
import { makePlace } from '../place.ts';
import { serviceOptions } from './service.ts';
import { openServing, photo } from './serving.ts';

let renderer: Renderer;
beforeEach(() => {
  renderer = createWorkerPool({ size: 2, workerPath });
});
afterEach(() => renderer.close());

/** What opens a service in this folder, with its events. */
function given(place: string) {
  const events: ServeEvent[] = [];
  const engine = {
    rendering: ({ memory }: { memory: number }) => ({ renderer, budget: openMemoryBudget(memory) }),
  };
  const folders = { store: join(place, 'state.serve.db'), storage: join(place, 'storage') };
  return {
    events,
    options: {
      ...serviceOptions(),
      ...folders,
      engine,
      emit: (event: ServeEvent) => void events.push(event),
    },
  };
}

it('a service processes what waits, and leaves what it has not begun to the next one', async () => {
  const place = makePlace();
  const before = await openServing({}, join(place, 'storage'));
  const ids = await before.upload([photo('wine.jpg'), photo('life.jpg')]);
  await before.store.close();

  const { options } = given(place);
  const ended = new Set<string>();
  await new Promise<void>((resolve) => {
    const emit = (event: ServeEvent) => {
      if (event.type === 'image.ended') ended.add(event.id);
      if (ended.size === ids.length) resolve();
    };
    const opening = openService({ ...options, emit });
    closes.push(async () => (await opening).close());
  });
  expect([...ended].sort()).toEqual([...ids].sort());
});

it('a second service on the same store is refused, and the first one goes on', async () => {
  const place = makePlace();
  const { options } = given(place);
  const service = await openService(options);
  closes.push(service.close);
  const one = await service.objects.stage('staging/a');
  writeFileSync(one.path, 'upload');
  await expect(openService(options)).rejects.toMatchObject({ code: 'index_unusable' });
  await service.objects.commit([one]);
  expect(await service.objects.locate('staging/a')).not.toBeNull();
});

it('a second service on the same storage is refused, also with another store, and changes nothing there', async () => {
  const place = makePlace();
  const { options } = given(place);
  const service = await openService(options);
  const one = await service.objects.stage('staging/a');
  writeFileSync(one.path, 'upload');
  const link = join(place, 'link');
  symlinkSync(options.storage, link);
  const other = { ...options, store: join(place, 'other.serve.db') };
  for (const storage of [options.storage, link]) {
    await expect(openService({ ...other, storage })).rejects.toMatchObject({
      code: 'index_unusable',
      message: `${storage}: is in use by imgtool serve (process ${process.pid} on ${hostname()})`,
      fix: 'end that process, or name another {{storage}}',
    });
  }
  await service.objects.commit([one]);
  expect(await service.objects.locate('staging/a')).not.toBeNull();
  await service.close();
  const next = await openService(other);
  closes.push(next.close);
  await service.close();
  await expect(openService(options)).rejects.toMatchObject({ code: 'index_unusable' });
});

it.each(['source_missing', 'io'] as const)(
  'a service whose storage is gone loses nothing, and goes on once the storage is back: %s',
  async (code) => {
    const place = makePlace();
    const { options } = given(place);
    const before = await openServing({}, options.storage);
    const [id] = await before.upload([photo('wine.jpg')]);
    await before.store.close();
    const away = join(place, 'away');
    let wasAway = false;
    const { open } = renderer;
    renderer = {
      ...renderer,
      async open(...asked) {
        if (wasAway) return open(...asked);
        wasAway = true;
        renameSync(options.storage, away);
        mkdirSync(options.storage);
        throw new ImgtoolError(code, 'as asked');
      },
    };
    const events: ServeEvent[] = [];
    const next = (type: ServeEvent['type']) =>
      expect.poll(() => events.find((event) => event.type === type), { timeout: 20_000 });
    const service = await openService({ ...options, emit: (event) => void events.push(event) });
    closes.push(service.close);
    await next('paused').toMatchObject({ error: { code: 'storage_unusable' } });
    await expect(service.objects.stage('staging/a')).rejects.toMatchObject({
      code: 'storage_unusable',
      message: `${options.storage}: is not the storage any more that this service has opened`,
    });
    expect(readdirSync(options.storage)).toEqual([]);
    rmdirSync(options.storage);
    renameSync(away, options.storage);
    await next('image.ended').toMatchObject({ id, state: 'completed', attempt: 1 });
  },
);

it('a service that cannot lock its storage names the setting of the storage', async () => {
  const place = makePlace();
  const { options } = given(place);
  mkdirSync(options.storage);
  symlinkSync(join(place, 'none'), join(options.storage, '.imgtool.runs'));
  const error = await openService(options).catch((thrown: unknown) => thrown as ImgtoolError);
  expect(error).toMatchObject({ fix: expect.stringContaining('{{storage}}') });
  expect(error).not.toMatchObject({ fix: expect.stringContaining('{{index}}') });
});

it('a service whose storage cannot be written does not hold its store', async () => {
  const place = makePlace();
  const { options } = given(place);
  const storage = join(place, 'file');
  writeFileSync(storage, '');
  const refused = openService({ ...options, storage });
  await expect(refused).rejects.toMatchObject({
    code: 'not_writable',
    message: expect.stringContaining(storage),
  });
  const service = await openService(options);
  await service.close();
  await service.close();
});

const closes: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closes.splice(0)) await close();
});
