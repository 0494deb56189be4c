import { leftOf } from '../../model/totals.ts';
import type { WatchOptions } from '../../model.ts';
import { CHUNK } from '../batch/intake.ts';
import { missingSince, tooManyGone } from '../batch/mirror-plan.ts';
import type { Clock } from '../clock.ts';
import type { JobContext } from '../job/context.ts';
import { isBelow } from '../job/facts.ts';
import { removeRecorded } from '../job/superseded.ts';

/** Milliseconds between checks whether all other work is done. */
const LOOK_AGAIN = 500;
/** Milliseconds of the longest wait for a file that may be the renamed source. */
const LONGEST = 60_000;

export type Mirror = ReturnType<typeof openMirror>;

/** Starts the work that gives the names of a removed source to others. Returns false when none wait. */
type PassNames = (gone: string) => Promise<boolean>;

/** Removes outputs of sources that are gone. It first gives a renamed source time to take over its outputs. */
export function openMirror(
  context: JobContext,
  { settle, mirror }: Pick<WatchOptions, 'settle' | 'mirror'>,
  clock: Clock,
  passNames: PassNames,
) {
  const { index, sources, options, run, emit } = context;
  /** Sources that are gone, with the time since when, and with their sizes once these are looked up. */
  const gone = new Map<string, { readonly since: number; size?: number | undefined }>();
  /** What was known before the first walk, for each folder: whether each source was known before others were missing. */
  let before = new Map<string, ReadonlyMap<string, boolean>>();
  let next = Number.POSITIVE_INFINITY;

  /** Notes sources that are gone. */
  function lost(paths: readonly string[]): void {
    for (const path of paths) gone.set(path, { since: clock.now() });
    if (gone.size > 0) next = Math.min(next, clock.now() + 2 * settle);
  }

  /** Removes the outputs of a removed source. Outputs that cannot be removed stay until the next start of the watch. */
  async function follow(source: string): Promise<void> {
    const own = (await index.ownedBy(source)).filter(({ path }) => isBelow(path, options.out));
    await removeRecorded(context, source, own, true);
  }

  /** Sources with outputs in the output folder. Names that jobs have only reserved are no outputs. */
  async function knownBelow(folder: string): Promise<ReadonlyMap<string, boolean>> {
    const since = await missingSince(context, folder);
    const all = new Map<string, boolean>();
    for await (const { source, digest, path, order } of index.outputsOfSources(folder)) {
      if (digest === null || !isBelow(path, options.out)) continue;
      all.set(source, all.get(source) === true || order <= since);
    }
    return all;
  }

  /** Of these sources, those that no file in work or settling can be: a renamed file has the same size. */
  async function notRenamed(paths: readonly string[], sizes: ReadonlySet<number>): Promise<string[]> {
    const asked = paths.filter((path) => !('size' in (gone.get(path) ?? {})));
    for (let i = 0; i < asked.length; i += CHUNK) {
      const some = asked.slice(i, i + CHUNK);
      const lookup = await index.lookup(some, []);
      for (const path of some) {
        const one = gone.get(path);
        if (one !== undefined) one.size = lookup.source(path)?.size;
      }
    }
    return paths.filter((path) => !sizes.has(gone.get(path)?.size ?? -1));
  }

  return {
    lost,
    /** Notes which sources are known, before a walk adds others. */
    async begin(): Promise<void> {
      for (const folder of sources.folders) before.set(folder, await knownBelow(folder));
    },
    /** Keeps the outputs of sources below this folder, which may only be unreachable. */
    spare(folder: string) {
      for (const path of gone.keys()) if (isBelow(path, folder)) gone.delete(path);
    },
    /** Finds recorded sources that were removed while no watch ran. `has` returns whether a source exists. */
    async compare(has: (path: string) => boolean): Promise<void> {
      for (const [folder, known] of before) {
        const absent = [...known.keys()].filter((path) => !has(path));
        const there = [...known].filter(([path, isOld]) => isOld && has(path));
        const all = absent.length + there.length;
        const refusal = mirror === 'all' ? undefined : tooManyGone(sources, folder, absent, all);
        if (refusal === undefined) lost(absent);
        else {
          emit(refusal);
          // The pictures that come in the place of these must not make up half of the known ones.
          await index.noteMissing(absent);
        }
      }
      before = new Map();
    },
    /** Removes outputs that are due. While files of the same size are settling or in work, it waits longer. */
    async work(isSettling: boolean, sizesInWork: () => ReadonlySet<number>): Promise<void> {
      if (clock.now() < next) return;
      const isBusy = isSettling || leftOf((await index.batch(run.batch)).counts) > 0;
      const dueAfter = (least: number) =>
        [...gone].filter(([, { since }]) => clock.now() - since >= least).map(([path]) => path);
      const soon = dueAfter(2 * settle);
      const free = isBusy ? await notRenamed(soon, sizesInWork()) : soon;
      const late = dueAfter(Math.max(LONGEST, 2 * settle));
      const due = [...new Set([...free, ...late])];
      for (const path of due) gone.delete(path);
      for (const path of await sources.missing(due)) {
        // Outputs that other sources take over must never be missing, so they stay until then.
        if (await passNames(path)) gone.set(path, { since: clock.now() });
        else await follow(path);
      }
      next = gone.size === 0 ? Number.POSITIVE_INFINITY : clock.now() + LOOK_AGAIN;
    },
    /** Milliseconds until there may be something to do. */
    left: () => Math.max(0, next - clock.now()),
  };
}
