import { asImgtoolError } from '../errors.ts';
import type { Image } from '../model.ts';
import type { Viewer } from '../ports.ts';
import type { ServeContext, Worker } from './context.ts';
import { aboutImage } from './events.ts';
import { outputKeys } from './keys.ts';

/**
 * Deletes an image with all its objects. It is hidden in one step, and from then on nobody sees it. What cannot be removed
 * now is removed by a sweep. Returns false when there is no such image.
 */
export async function removeImage(
  context: ServeContext & { readonly worker: Worker },
  viewer: Viewer,
  id: string,
): Promise<boolean> {
  const { store, objects, emit, worker } = context;
  const image = await store.image(viewer, id);
  const keys = await store.remove(viewer, id);
  if (image === undefined || keys === undefined) return false;
  try {
    // While a child writes, new objects could follow those that are removed.
    await worker.drop([id]);
    await objects.remove([...keys, ...(await possibleKeys(context, image))]);
    await store.removed(id);
  } catch (error) {
    const { message } = asImgtoolError(error);
    emit({ type: 'warning', message: `the objects of the deleted image ${id} are still there: ${message}` });
  }
  emit({ type: 'image.deleted', ...aboutImage(image) });
  return true;
}

/** The keys of all outputs that an image can have: a worker that died may have stored some and recorded none. */
export async function possibleKeys(
  { store }: Pick<ServeContext, 'store'>,
  image: Pick<Image, 'id' | 'batch' | 'bucket'>,
): Promise<string[]> {
  const batch = await store.batchOf('all', image.batch);
  return batch === undefined ? [] : outputKeys(image, batch.preset);
}
