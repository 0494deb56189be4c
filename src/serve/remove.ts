import { asImgtoolError, type ImgtoolError } from '../errors.ts';
import type { BatchOrJob, HiddenImage, Viewer } from '../ports.ts';
import type { RemovalContext, ServeContext } from './context.ts';
import { aboutImage } from './events.ts';
import { possibleKeys } from './keys.ts';

/**
 * Waits for a removal that must stop nothing else, and reports its error. Never rejects: resolves to the error. A `fatal`
 * one is not reported, because all other work with the store or the storage has it too.
 */
export async function tryRemoval(
  emit: ServeContext['emit'],
  what: string,
  removal: Promise<void>,
): Promise<ImgtoolError | undefined> {
  try {
    await removal;
    return undefined;
  } catch (thrown) {
    const error = asImgtoolError(thrown);
    if (!error.fatal) emit({ type: 'warning', message: `${what} could not be removed: ${error.message}` });
    return error;
  }
}

/**
 * Cancels what has not ended of a batch or job, and ends the work on it. Returns the number of images. Undefined when there
 * is no such batch or job.
 */
export async function cancelImages(
  { store, emit, worker }: RemovalContext,
  viewer: Viewer,
  what: BatchOrJob,
): Promise<number | undefined> {
  const cancelled = await store.cancel(viewer, what);
  if (cancelled === undefined) return undefined;
  for (const image of cancelled) emit({ type: 'image.cancelled', ...aboutImage(image) });
  await worker.drop(cancelled.map(({ id }) => id));
  return cancelled.length;
}

/**
 * Deletes an image with all its objects. It is hidden in one step, and from then on nobody sees it. What cannot be removed
 * now is removed by a sweep. Returns false when there is no such image.
 */
export async function removeImage(context: RemovalContext, viewer: Viewer, id: string): Promise<boolean> {
  const { store, emit } = context;
  const image = await store.remove(viewer, id);
  if (image === undefined) return false;
  const about = aboutImage(image);
  if (!image.hadEnded) emit({ type: 'image.cancelled', ...about });
  await tryRemoval(emit, `the objects of the deleted image ${id}`, removeHidden(context, image));
  emit({ type: 'image.deleted', ...about });
  return true;
}

/** Removes all that a deleted image can have in storage, and then its rows. A second call changes nothing. */
export async function removeHidden(
  { store, objects, worker }: RemovalContext,
  image: HiddenImage,
): Promise<void> {
  // While a child writes, new objects could follow those that are removed.
  await worker.drop([image.id]);
  await objects.remove([...image.keys, ...(await possibleKeys(store, image))]);
  await store.dropRows(image.id);
}
