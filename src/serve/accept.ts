import type { Failure, Preset, UploadedFacts } from '../model.ts';
import type { Accepted, NewUpload, QuotaRule, RequestKey, StagedObject } from '../ports.ts';
import type { ServeContext } from './context.ts';
import { tryRemoval } from './remove.ts';

/** A file of a request: staged, or refused. */
export interface UploadedFile {
  readonly image: string;
  readonly job: string;
  readonly name: string;
  readonly staged: StagedObject | null;
  /** Null for a file that was refused before its end. */
  readonly facts: UploadedFacts | null;
  readonly error: Failure | null;
}

/** The files of one request, and what is asked for them. */
export interface Upload {
  readonly batch: string;
  readonly owner: string;
  readonly bucket: string;
  readonly preset: Preset;
  /** The text of a JSON value. */
  readonly metadata: string | null;
  readonly files: readonly UploadedFile[];
  readonly quota: QuotaRule | null;
  readonly key: RequestKey | null;
}

/** Requests with more files wait behind the others, so that a large one does not block single images. */
const MANY = 10;

/**
 * Makes the files durable, then records them, so that an accepted image is never lost. What is not accepted leaves no
 * object, unless the store cannot say what it has recorded: the sweep removes that later. Errors: those of the store and of
 * the objects.
 */
export async function acceptUpload(
  { store, objects, emit }: ServeContext,
  upload: Upload,
): Promise<Accepted> {
  const staged = upload.files.flatMap((file) => file.staged ?? []);
  const keys = staged.map(({ key }) => key);
  const remove = (unneeded: Promise<readonly string[]>) =>
    tryRemoval(
      emit,
      'files of a request that was not accepted',
      unneeded.then((all) => objects.remove(all)),
    );
  let accepted: Accepted;
  try {
    await objects.commit(staged);
    accepted = await store.accept(newUpload(upload));
  } catch (error) {
    // An error of a store does not say that nothing was recorded.
    await remove(store.referred(keys).then((referred) => keys.filter((key) => !referred.includes(key))));
    throw error;
  }
  if (accepted.type !== 'accepted') await remove(Promise.resolve(keys));
  if (accepted.type === 'accepted') {
    const { batch, owner, bucket, files } = upload;
    const waiting = files.filter(({ error }) => error === null);
    const bytes = waiting.reduce((sum, { facts }) => sum + (facts?.bytes ?? 0), 0);
    const codes = files.flatMap(({ error }) => error?.code ?? []);
    const [images, refused] = [waiting.length, codes.length];
    emit({ type: 'upload.accepted', batch, owner, bucket, images, bytes, refused, codes });
  }
  return accepted;
}

function newUpload({ batch, owner, bucket, preset, metadata, files, quota, key }: Upload): NewUpload {
  return {
    ...{ id: batch, owner, bucket, preset, quota, key },
    priority: files.length > MANY ? 0 : 1,
    images: files.map(({ image, job, name, staged, facts, error }) => ({
      ...{ id: image, job, name, metadata, error },
      uploaded: facts,
      staged: error === null ? (staged?.key ?? null) : null,
    })),
  };
}
