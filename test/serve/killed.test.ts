import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { changeBatch } from '../../src/adapters/store/sqlite.ts';
import { removeImage } from '../../src/serve/remove.ts';
import { sweep } from '../../src/serve/sweep.ts';
import { makePlace } from '../place.ts';
import { sha } from '../records.ts';
import { buildScript } from './script.ts';
import { serviceOptions } from './service.ts';
import { openServing, photo, type Serving, unserved } from './serving.ts';

// A service is killed before it commits the outputs of an image, or when they are stored and not yet recorded.

let script: Awaited<ReturnType<typeof buildScript>>;
beforeAll(async () => {
  script = await buildScript(new URL('./dies-at.ts', import.meta.url));
});
afterAll(() => script.remove());

/** Uploads a picture, and kills so many services that process it. */
async function killed(step: 'open' | 'commit' | 'settle', times: number) {
  const root = join(makePlace(), 'storage');
  const before = await openServing({}, root);
  const [id = ''] = await before.upload([photo('wine.jpg')]);
  await before.store.close();
  const store = join(root, '../state.serve.db');
  for (let i = 0; i < times; i++) expect(await script.run(store, root, step)).toBe('SIGKILL');
  const left = before.files();
  return { id, left, after: await openServing({}, root) };
}

const outputsIn = (serving: Serving) => serving.files().filter((file) => file.startsWith('photos/'));

it('an image is processed again, and neither a row nor a file is left alone', async () => {
  const { id, after } = await killed('settle', 1);
  expect(outputsIn(after)).toHaveLength(3);
  expect(await after.image(id)).toMatchObject({ state: 'processing', outputs: [] });
  after.start();
  expect(await after.event('recovered')).toMatchObject({ images: 1 });
  expect(await after.ended(id)).toMatchObject({ state: 'completed', attempt: 2 });
  await after.event('batch.ended');
  const { outputs } = await after.image(id);
  expect(after.files()).toEqual(outputs.map(({ key }) => key).sort());
  for (const { key, checksum } of outputs) expect(sha(readFileSync(join(after.root, key)))).toBe(checksum);
});

it('an image that has ended three services fails, and what they stored for it is removed', async () => {
  const { id, after } = await killed('settle', 3);
  expect(outputsIn(after)).toHaveLength(3);
  const worker = after.start();
  const [other = ''] = await after.upload([photo('life.jpg')]);
  worker.wake();
  await after.ended(other);
  const { error, ...image } = await after.image(id);
  expect([image.state, error?.code]).toEqual(['failed', 'worker_crashed']);
  expect(await after.ended(id)).toMatchObject({ state: 'failed', attempt: 3, error });
  const { outputs } = await after.image(other);
  expect(after.files()).toEqual([...outputs.map(({ key }) => key), `staging/${id}`].sort());
});

it('an image that is cancelled after its service was killed leaves no outputs', async () => {
  const { id, after } = await killed('settle', 1);
  expect(outputsIn(after)).toHaveLength(3);
  const { batch } = await after.image(id);
  await after.store.close();
  expect(await changeBatch(join(after.root, '../state.serve.db'), 'cancel', batch)).toBe(1);
  const next = await openServing({}, after.root);
  const worker = next.start();
  const [other = ''] = await next.upload([photo('life.jpg')]);
  worker.wake();
  await next.ended(other);
  const { outputs } = await next.image(other);
  expect(next.files()).toEqual([...outputs.map(({ key }) => key), `staging/${id}`].sort());
});

it('an image that is deleted after its service was killed leaves no outputs, also if only a sweep removes it', async () => {
  for (const how of ['request', 'sweep']) {
    const { id, after } = await killed('settle', 1);
    expect(outputsIn(after)).toHaveLength(3);
    if (how === 'request') await removeImage(unserved(after), 'all', id);
    else await after.store.remove('all', id);
    await sweep(unserved(after), serviceOptions().keep, new AbortController().signal);
    expect(after.files()).toEqual([]);
  }
});

it('an image is not blamed for services that died before a child opened it', async () => {
  const { id, after } = await killed('open', 4);
  after.start();
  expect(await after.ended(id)).toMatchObject({ state: 'completed', attempt: 1 });
});

it('the staged files of the process that was killed are gone after the next start', async () => {
  const { id, left, after } = await killed('commit', 1);
  expect(left.filter((file) => file.startsWith('.staged/'))).toHaveLength(3);
  expect(after.files()).toEqual([`staging/${id}`]);
  after.start();
  expect(await after.ended(id)).toMatchObject({ state: 'completed', attempt: 2 });
  expect(outputsIn(after)).toEqual(after.files());
});
