import type { Image, Preset } from '../model.ts';
import type { Store } from '../ports.ts';
import { EXTENSIONS, type Format } from '../variants/formats.ts';

// The keys of objects. The keys of outputs are also the paths of their addresses, so they must never change.

/** The prefix of all staged bytes. No bucket can have this name. */
export const STAGING = 'staging/';

/** The key of an upload that waits. */
export const stagedKey = (image: string): string => `${STAGING}${image}`;

export const imageOfStagedKey = (key: string): string => key.slice(STAGING.length);

/** The key of an output. Variants that share a name have different formats. */
export function outputKey(
  { id, bucket }: { readonly id: string; readonly bucket: string },
  { name, format }: { readonly name: string; readonly format: Format },
): string {
  return `${bucket}/processed/${name}/${id}_${name}.${EXTENSIONS[format]}`;
}

/** The keys of all outputs that an image can have. */
export function outputKeys(
  image: { readonly id: string; readonly bucket: string },
  preset: Preset,
): string[] {
  return preset.variants.map((variant) => outputKey(image, variant));
}

/** The keys of all outputs that an image can have: a worker that died may have stored some and recorded none. */
export async function possibleKeys(
  store: Pick<Store, 'batchOf'>,
  image: Pick<Image, 'id' | 'batch' | 'bucket'>,
): Promise<string[]> {
  const batch = await store.batchOf('all', image.batch);
  return batch === undefined ? [] : outputKeys(image, batch.preset);
}
