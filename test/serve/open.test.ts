import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createWorkerPool } from '../../src/adapters/worker-pool.ts';
import { openMemoryBudget } from '../../src/core/queue/memory-budget.ts';
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
