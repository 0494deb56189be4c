import { readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../src/core/clock.ts';
import type { Variant } from '../../src/model.ts';
import { removeImage } from '../../src/serve/remove.ts';
import { sha } from '../records.ts';
import { openEndless, watchedPool } from './pools.ts';
import { openServing, photo, presetOf } from './serving.ts';

/** A service that has processed a picture, and the first output of that picture. */
async function processedOnce() {
  const serving = await openServing();
  const [id = ''] = await serving.upload([photo('wine.jpg')]);
  serving.start();
  await serving.ended(id);
  const [output] = (await serving.image(id)).outputs;
  return { serving, output: output! };
}

describe('the same bytes', () => {
  it('are rendered once, and each image has outputs of its own', async () => {
    const { renderer, rendered } = watchedPool();
    const serving = await openServing({ renderer });
    const ids = await serving.upload([photo('wine.jpg'), photo('wine.jpg'), photo('wine.jpg')]);
    const worker = serving.start();
    await serving.event('batch.ended');
    expect(rendered).toHaveLength(1);
    const images = await Promise.all(ids.map((id) => serving.image(id)));
    expect(images.map(({ state }) => state).sort()).toEqual(['completed', 'duplicate', 'duplicate']);
    const first = images.find(({ state }) => state === 'completed')!;
    for (const copy of images.filter(({ state }) => state === 'duplicate')) {
      expect(copy).toMatchObject({
        duplicateOf: expect.toSatisfy((of: string) => ids.includes(of) && of !== copy.id),
        dominantColor: first.dominantColor,
        picture: first.picture,
      });
      expect(copy.outputs.map(({ checksum }) => checksum)).toEqual(
        first.outputs.map(({ checksum }) => checksum),
      );
    }
    expect(serving.files()).toEqual(images.flatMap(({ outputs }) => outputs.map(({ key }) => key)).sort());

    await removeImage({ ...serving.tools, worker }, 'all', first.id);
    const left = images.filter((image) => image !== first);
    expect(serving.files()).toEqual(left.flatMap(({ outputs }) => outputs.map(({ key }) => key)).sort());
  });

  it('are copied only within the images of one owner', async () => {
    const { renderer, rendered } = watchedPool();
    const serving = await openServing({ renderer });
    const [a = ''] = await serving.upload([photo('wine.jpg')], { owner: 'ann' });
    const [b = ''] = await serving.upload([photo('wine.jpg')], { owner: 'bob' });
    serving.start();
    for (const id of [a, b]) expect(await serving.ended(id)).toMatchObject({ state: 'completed' });
    expect(rendered).toHaveLength(2);
  });

  it('are rendered only for the variants that were not made before', async () => {
    const { renderer, rendered } = watchedPool();
    const serving = await openServing({ renderer });
    const [a = ''] = await serving.upload([photo('wine.jpg')], { preset: presetOf('web') });
    serving.start();
    await serving.ended(a);
    const [b = ''] = await serving.upload([photo('wine.jpg')], { preset: presetOf('archive') });
    expect(await serving.ended(b)).toMatchObject({ state: 'completed', outputs: 4 });
    expect(rendered.map((orders) => orders.map(({ variant }) => variant.name))).toEqual([
      ['thumbnail', 'medium', 'large'],
      ['original'],
    ]);
    const { outputs, duplicateOf } = await serving.image(b);
    expect([outputs.map(({ variant }) => variant), duplicateOf]).toEqual([
      ['thumbnail', 'medium', 'large', 'original'],
      null,
    ]);
  });

  it('wait for each other, and let other images go first', async () => {
    const { serving, begun } = await openEndless();
    await serving.upload(Array.from({ length: 20 }, () => photo('wine.jpg')));
    const [other = ''] = await serving.upload([photo('life.jpg')], { owner: 'bob' });
    // The worker must not need its next look after some seconds.
    const after: Clock['after'] = (ms, call) => (ms < 5_000 ? systemClock.after(ms, call) : () => {});
    const worker = serving.start({ ...systemClock, after });
    await begun();
    await serving.event('image.started', ({ id }) => id === other);
    expect(worker.busy()).toBe(21);
    expect(serving.events.filter(({ type }) => type === 'image.started')).toHaveLength(2);
  });

  it('are rendered with newer fields off, if an earlier version recorded their preset', async () => {
    const serving = await openServing();
    const { name, variants } = presetOf('web');
    const older = variants.map(({ crop, keep, copyright, artist, ...variant }) => variant as Variant);
    const [a = ''] = await serving.upload([photo('wine.jpg')], { preset: { name, variants: older } });
    const [b = ''] = await serving.upload([photo('wine.jpg')], { preset: { name, variants } });
    serving.start();
    expect(await serving.ended(a)).toMatchObject({ state: 'completed', outputs: 3 });
    expect(await serving.ended(b)).toMatchObject({ state: 'duplicate', outputs: 3 });
  });

  it('are rendered again where an earlier output was damaged', async () => {
    const { serving, output: damaged } = await processedOnce();
    truncateSync(join(serving.root, damaged.key), 100);
    const [b = ''] = await serving.upload([photo('wine.jpg')]);
    expect(await serving.ended(b)).toMatchObject({ state: 'completed', outputs: 3 });
    const [made] = (await serving.image(b)).outputs;
    expect(made).toMatchObject({ checksum: damaged.checksum });
    expect(sha(readFileSync(join(serving.root, made!.key)))).toBe(damaged.checksum);
  });

  it('are rendered again where an earlier output is gone', async () => {
    const { serving, output: gone } = await processedOnce();
    await serving.objects.remove([gone.key]);
    const [b = ''] = await serving.upload([photo('wine.jpg')]);
    expect(await serving.ended(b)).toMatchObject({ state: 'completed', outputs: 3 });
    expect((await serving.image(b)).outputs[0]).toMatchObject({ checksum: gone.checksum });
  });
});
