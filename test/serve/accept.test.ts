import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { expect, it, vi } from 'vitest';
import { ImgtoolError } from '../../src/errors.ts';
import { acceptUpload, type Upload } from '../../src/serve/accept.ts';
import { stagedKey } from '../../src/serve/keys.ts';
import { sha } from '../records.ts';
import { openServing, photo, presetOf, type Serving } from './serving.ts';

/** A request with one file, which is staged. */
async function received({ objects }: Serving, over: Partial<Upload> = {}): Promise<Upload> {
  const bytes = photo('wine.jpg');
  const image = randomUUID();
  const staged = await objects.stage(stagedKey(image));
  writeFileSync(staged.path, bytes);
  const facts = { digest: sha(bytes), bytes: bytes.length };
  return {
    ...{ batch: randomUUID(), owner: 'ann', bucket: 'photos', preset: presetOf('web'), metadata: null },
    files: [{ image, job: randomUUID(), name: 'a.jpg', staged, facts, error: null }],
    ...{ quota: null, key: null },
    ...over,
  };
}

it('a request with the key of an earlier one leaves no object', async () => {
  const serving = await openServing();
  const key = { route: '/upload', key: 'one', fingerprint: 'f', body: '{}' };
  const first = await received(serving, { key });
  await acceptUpload(serving.tools, first);
  const again = await acceptUpload(serving.tools, await received(serving, { key }));
  expect(again).toMatchObject({ type: 'replayed', body: '{}' });
  expect(serving.files()).toEqual([stagedKey(first.files[0]?.image ?? '')]);
});

it('a request gets its answer, also if its objects cannot be removed', async () => {
  const serving = await openServing();
  const key = { route: '/upload', key: 'one', fingerprint: 'f', body: '{}' };
  await acceptUpload(serving.tools, await received(serving, { key }));
  vi.spyOn(serving.objects, 'remove').mockRejectedValue(new ImgtoolError('io', 'as asked'));
  expect(await acceptUpload(serving.tools, await received(serving, { key }))).toMatchObject({
    type: 'replayed',
  });
  const full = new ImgtoolError('no_space', 'the store is full');
  vi.spyOn(serving.store, 'accept').mockRejectedValueOnce(full);
  await expect(acceptUpload(serving.tools, await received(serving))).rejects.toBe(full);
  const message = 'files of a request that was not accepted could not be removed: as asked';
  expect(serving.events.filter(({ type }) => type === 'warning')).toEqual(
    Array(2).fill({ type: 'warning', message }),
  );
});

it('an upload keeps its bytes when the store may have recorded it in spite of an error', async () => {
  const serving = await openServing();
  const { accept } = serving.store;
  const broken = new ImgtoolError('index_unusable', 'the record could not be written to the disk');
  vi.spyOn(serving.store, 'accept').mockImplementationOnce(async (upload) => {
    await accept(upload);
    throw broken;
  });
  const key = { route: '/upload', key: 'one', fingerprint: 'f', body: '{}' };
  const recorded = await received(serving, { key });
  await expect(acceptUpload(serving.tools, recorded)).rejects.toBe(broken);
  vi.spyOn(serving.store, 'accept').mockRejectedValueOnce(broken);
  vi.spyOn(serving.store, 'referred').mockRejectedValueOnce(broken);
  const unknown = await received(serving);
  await expect(acceptUpload(serving.tools, unknown)).rejects.toBe(broken);
  const kept = [recorded, unknown].map(({ files }) => stagedKey(files[0]?.image ?? ''));
  expect(serving.files().toSorted()).toEqual(kept.toSorted());
  expect(await acceptUpload(serving.tools, await received(serving, { key }))).toMatchObject({
    type: 'replayed',
  });
  expect(serving.files().toSorted()).toEqual(kept.toSorted());
});
