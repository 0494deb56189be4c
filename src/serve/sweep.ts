import { type Clock, systemClock } from '../core/clock.ts';
import { asImgtoolError } from '../errors.ts';
import type { RemovalContext, ServeContext } from './context.ts';
import { imageOfStagedKey, STAGING } from './keys.ts';
import { sleep } from './pause.ts';
import { removeHidden, tryRemoval } from './remove.ts';

/** Milliseconds between two sweeps, varied at random by up to a quarter. */
const INTERVAL = 600_000;
/** Keys in one question to the store. */
const TOGETHER = 500;

/** How long to keep what may still be needed. Milliseconds. */
export interface KeepTimes {
  /** Staged bytes of images that failed or were cancelled: they can be tried again. */
  readonly failed: number;
  /** Staged bytes of no image: their upload may not have ended, or the store is a copy from before it. */
  readonly orphans: number;
}

/** Sweeps now, and from then on at intervals. */
export function startSweeper(context: RemovalContext, keep: KeepTimes, clock: Clock = systemClock) {
  const stopped = new AbortController();
  const sweeping = (async () => {
    while (!stopped.signal.aborted) {
      await sweep(context, keep, stopped.signal).catch((error: unknown) => {
        const { message } = asImgtoolError(error);
        context.emit({ type: 'warning', message: `storage could not be cleaned up: ${message}` });
      });
      await sleep(clock, INTERVAL * (0.75 + Math.random() / 2), stopped.signal);
    }
  })();
  return {
    async stop(): Promise<void> {
      stopped.abort();
      await sweeping;
    },
  };
}

/** Removes what nobody needs any more, and finishes what a process that is gone has begun. Ends early once aborted. */
export async function sweep(context: RemovalContext, keep: KeepTimes, signal: AbortSignal): Promise<void> {
  const { store, objects, emit } = context;
  const done = { staged: 0, images: 0 };
  /** Number of deleted images whose objects cannot be removed now. */
  let left = 0;
  while (!signal.aborted) {
    const { staged, removed, isMore } = await store.sweep(Date.now() - keep.failed, left);
    for (const keys of inGroups(staged)) {
      if (signal.aborted) return;
      // No row refers to these any more. So those that stay are orphans.
      if (await isRemoved(emit, 'old uploads', objects.remove(keys))) done.staged += keys.length;
    }
    for (const image of removed) {
      if (signal.aborted) return;
      if (await isRemoved(emit, `the deleted image ${image.id}`, removeHidden(context, image))) done.images++;
      else left++;
    }
    if (staged.length + removed.length === 0 && !isMore) break;
  }
  const orphans = await removeOrphans(context, Date.now() - keep.orphans, signal);
  emit({ type: 'swept', ...done, orphans });
}

/**
 * Removes staged bytes that no image refers to: at once if their image has ended, else if they are from before this time.
 * Returns their number.
 */
async function removeOrphans({ store, objects, emit }: ServeContext, before: number, signal: AbortSignal) {
  let orphans = 0;
  const remove = async (staged: readonly { key: string; at: number }[]) => {
    const keys = staged.map(({ key }) => key);
    // In this order: an image that is accepted in between is not known, or refers to its bytes.
    const known = new Set((await store.images('all', keys.map(imageOfStagedKey))).map(({ id }) => id));
    const referred = new Set(await store.referred(keys));
    const isOrphan = ({ key, at }: { key: string; at: number }) =>
      !referred.has(key) && (at < before || known.has(imageOfStagedKey(key)));
    const unneeded = staged.filter(isOrphan).map(({ key }) => key);
    if (await isRemoved(emit, 'uploads without an image', objects.remove(unneeded)))
      orphans += unneeded.length;
  };
  let staged: { key: string; at: number }[] = [];
  for await (const one of objects.list(STAGING)) {
    if (signal.aborted) return orphans;
    staged.push(one);
    if (staged.length < TOGETHER) continue;
    await remove(staged);
    staged = [];
  }
  await remove(staged);
  return orphans;
}

/** Whether a removal succeeds. What does not is reported, and the sweep goes on. Errors: those that all others have too. */
async function isRemoved(emit: ServeContext['emit'], what: string, removal: Promise<void>): Promise<boolean> {
  const error = await tryRemoval(emit, what, removal);
  if (error?.fatal) throw error;
  return error === undefined;
}

function* inGroups(keys: readonly string[]): Generator<readonly string[]> {
  for (let at = 0; at < keys.length; at += TOGETHER) yield keys.slice(at, at + TOGETHER);
}
