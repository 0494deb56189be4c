import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sweep } from '../../src/serve/sweep.ts';
import { makePlace } from '../place.ts';
import { sha } from '../records.ts';
import { buildScript } from './script.ts';
import { serviceOptions } from './service.ts';
import { openServing, photo, type Serving } from './serving.ts';

// A service is killed before it commits the outputs of an image, or when they are stored and not yet recorded.

let script: Awaited<ReturnType<typeof buildScript>>;
beforeAll(async () => {
  script = await buildScript(new URL('./dies-at.ts', import.meta.url));
});
afterAll(() => script.remove());

/** Uploads a picture, and kills so many services that process it. */
async function killed(step: 'commit' | 'settle', times: number) {
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

it('an image that has ended three services fails, and a sweep removes what they stored for it', async () => {
  const { id, after } = await killed('settle', 3);
  expect(outputsIn(after)).toHaveLength(3);
  const worker = after.start();
  const [other = ''] = await after.upload([photo('life.jpg')]);
  worker.wake();
  await after.ended(other);
  expect(await after.image(id)).toMatchObject({ state: 'failed', error: { code: 'worker_crashed' } });
  await sweep(after.tools, serviceOptions().keep, new AbortController().signal);
  const { outputs } = await after.image(other);
  expect(after.files()).toEqual([...outputs.map(({ key }) => key), `staging/${id}`].sort());
});

it('the staged files of the process that was killed are gone after the next start', async () => {
  const { id, left, after } = await killed('commit', 1);
  expect(left.filter((file) => file.startsWith('.staged/'))).toHaveLength(3);
  expect(after.files()).toEqual([`staging/${id}`]);
  after.start();
  expect(await after.ended(id)).toMatchObject({ state: 'completed', attempt: 2 });
  expect(outputsIn(after)).toEqual(after.files());
});
