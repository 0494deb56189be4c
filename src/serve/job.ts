import { type Opening, openWithinBudget } from '../core/job/open-source.ts';
import { settingsOfAll } from '../core/job/settings-digest.ts';
import { asImgtoolError, ImgtoolError } from '../errors.ts';
import type { BatchOptions, Rendered, StoredOutput } from '../model.ts';
import type { Claim, FetchedObject, ImageEnd, Opened, StagedObject, Store } from '../ports.ts';
import { recipeOf } from '../variants/formats.ts';
import type { ServeContext } from './context.ts';
import { outputKey, outputKeys } from './keys.ts';
import { tryRemoval } from './remove.ts';

/** What all images of a worker are processed with. */
export interface ImageTools extends ServeContext, Pick<Opening, 'renderer' | 'budget'> {
  readonly options: Pick<BatchOptions, 'jobs' | 'limits' | 'memory' | 'memoryCap'>;
}

/** The work on one image. Its renderer renders for this image alone. */
export interface ImageWork extends ImageTools {
  readonly claim: Claim;
  /** Aborts when the work must end. */
  readonly signal: AbortSignal;
  /** Is called once a child has opened the picture, and once only storing is left: another image may begin then. */
  readonly reached: (step: 'opened' | 'rendered') => void;
  /** Records the end in the store. */
  readonly settle: Store['settle'];
}

export type SuccessfulEnd = Extract<ImageEnd, { state: 'completed' | 'duplicate' }>;

/**
 * Processes ONE image, from staged bytes to stored outputs, and records it. Objects come before rows, so a row never
 * names an object that is not there. After an error the store still says `processing`, and nothing staged is left.
 */
export async function processImage(work: ImageWork) {
  const { objects, claim, reached, settle } = work;
  const started = performance.now();
  const staged: StagedObject[] = [];
  let fetched: FetchedObject | undefined;
  let opened: Opened | undefined;
  try {
    fetched = await fetchUpload(work);
    opened = await openUpload(work, fetched.path);
    reached('opened');
    const { copies, of } = await copyMade(work, opened, staged);
    const rendered = await renderOthers(work, opened, copies, staged);
    opened.close();
    reached('rendered');
    const committing = performance.now();
    await objects.commit(staged).catch(async (error: unknown) => {
      // Some of them may have their keys already.
      await removeUnrecorded(work, claim);
      throw error;
    });
    const now = performance.now();
    const { width, height, format, ms } = opened;
    const isCopy = rendered === undefined;
    const end: SuccessfulEnd = {
      state: isCopy ? 'duplicate' : 'completed',
      picture: { width, height, format },
      dominantColor: rendered?.dominantColor ?? of?.dominantColor ?? null,
      degraded: rendered?.degraded === true || (copies.size > 0 && of?.degraded === true),
      duplicateOf: isCopy && of !== undefined ? of.id : null,
      outputs: outputsOf(work, opened, copies, rendered),
      ms: {
        digest: Math.round(ms),
        decode: Math.round(rendered?.ms.decode ?? 0),
        encode: Math.round(rendered?.ms.encode ?? 0),
        commit: Math.round(now - committing),
        total: Math.round(now - started),
      },
    };
    const outcome = await settle(claim, end);
    if (outcome === 'settled') await removeUpload(work);
    return { outcome, end };
  } finally {
    opened?.close();
    // A staged file that stays does not change the result. The next start removes it.
    for (const one of [...staged, ...(fetched === undefined ? [] : [fetched])])
      await one.discard().catch(() => {});
  }
}

async function fetchUpload({ objects, claim: { staged } }: ImageWork): Promise<FetchedObject> {
  if (staged !== null) return objects.fetch(staged);
  throw new ImgtoolError('source_missing', 'its uploaded bytes are gone', { fix: 'upload it again' });
}

/** Errors: `source_changed` when the stored bytes are not those that were uploaded. */
async function openUpload(work: ImageWork, path: string): Promise<Opened> {
  const { claim, emit, options } = work;
  const opening: Opening = {
    ...work,
    options: { ...options, preset: claim.preset },
    emit: ({ message, fix }) => emit({ type: 'warning', message, ...(fix === undefined ? {} : { fix }) }),
  };
  const { bytes, digest } = claim.uploaded;
  const source = { path, bounds: null, given: claim.name };
  const opened = await openWithinBudget(opening, source, bytes);
  if (opened.digest === digest) return opened;
  opened.close();
  throw new ImgtoolError('source_changed', 'its stored bytes are not those that were uploaded', {
    fix: 'upload it again',
  });
}

const settingsOf = ({ claim: { preset }, options: { limits } }: ImageWork) =>
  settingsOfAll({ preset, limits });

/**
 * Stages copies of outputs that were made before of these bytes for this owner, by the number of their variant. An output
 * that is gone or damaged, or that is made in a better way now, is not copied.
 */
async function copyMade(work: ImageWork, opened: Opened, staged: StagedObject[]) {
  const { store, objects, claim } = work;
  const copies = new Map<number, StoredOutput>();
  const settings = settingsOf(work);
  const of = await store.made(claim.owner, opened.digest, settings);
  for (const [i, variant] of claim.preset.variants.entries()) {
    const output = of?.outputs.find((one) => one.settings === settings[i]);
    if (output === undefined || output.recipe < recipeOf(variant.format, opened)) continue;
    const key = outputKey(claim, variant);
    try {
      staged.push(await objects.stageFrom(output.key, key, output.checksum));
      copies.set(i, { ...output, key, variant: variant.name });
    } catch (error) {
      if (asImgtoolError(error).code !== 'source_missing') throw error;
    }
  }
  return { copies, of };
}

/** Renders the variants that have no copy. Undefined when all have one. */
async function renderOthers(
  { objects, claim }: ImageWork,
  opened: Opened,
  copies: ReadonlyMap<number, StoredOutput>,
  staged: StagedObject[],
): Promise<Rendered | undefined> {
  const orders = [];
  for (const [i, variant] of claim.preset.variants.entries()) {
    if (copies.has(i)) continue;
    const one = await objects.stage(outputKey(claim, variant));
    staged.push(one);
    orders.push({ variant, path: one.path });
  }
  return orders.length === 0 ? undefined : opened.render(orders);
}

/** All outputs in the order of the variants: the copies, and what was rendered for the others. */
function outputsOf(
  work: ImageWork,
  opened: Opened,
  copies: ReadonlyMap<number, StoredOutput>,
  rendered: Rendered | undefined,
): StoredOutput[] {
  const settings = settingsOf(work);
  const made = [...(rendered?.outputs ?? [])];
  return work.claim.preset.variants.map((variant, i) => {
    const copy = copies.get(i);
    if (copy !== undefined) return copy;
    const { width, height, bytes, checksum } = made.shift()!;
    return {
      ...{ variant: variant.name, format: variant.format, settings: settings[i]! },
      ...{ key: outputKey(work.claim, variant), width, height, bytes, checksum },
      ...{ encoder: rendered!.encoder, recipe: recipeOf(variant.format, opened) },
    };
  });
}

/** Nobody needs the uploaded bytes of a processed image. The sweep removes those that cannot be removed now. */
async function removeUpload(work: ImageWork): Promise<void> {
  const { staged, name } = work.claim;
  if (staged === null) return;
  await tryRemoval(work.emit, `${name}: its uploaded bytes`, work.objects.remove([staged]));
}

/** Removes what an attempt may have stored that no row names. */
export async function removeUnrecorded(
  { objects, emit }: Pick<ServeContext, 'objects' | 'emit'>,
  claim: Claim,
): Promise<void> {
  const removal = objects.remove(outputKeys(claim, claim.preset));
  await tryRemoval(emit, `${claim.name}: its unfinished outputs`, removal);
}
