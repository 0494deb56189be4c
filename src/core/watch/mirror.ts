import { leftOf } from '../../model/totals.ts';
import type { WatchOptions } from '../../model.ts';
import { CHUNK } from '../batch/intake.ts';
import { judgeMissing, missingSince } from '../batch/mirror-plan.ts';
import type { Clock } from '../clock.ts';
import type { JobContext } from '../job/context.ts';
import { isBelow } from '../job/facts.ts';
import { removeRecorded } from '../job/superseded.ts';

/** Milliseconds between checks whether all other work is done. */
const LOOK_AGAIN = 500;
/** Milliseconds of the longest wait for a file that may be the renamed source. */
const LONGEST = 60_000;

export type Mirror = ReturnType<typeof openMirror>;

/** Starts the work that gives the names of a removed source to others. Returns false if no source waits for a name. */
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

  /** The sources with outputs in the output folder: those that are missing, and how many were known before these. */
  async function missingBelow(folder: string) {
    const since = await missingSince(context, folder);
    const missing: string[] = [];
    let known = 0;
    let last = '';
    for await (const { source, digest, path, order } of index.outputsOfSources(folder)) {
      // A name that a job has only reserved is no output.
      if (source === last || digest === null || !isBelow(path, options.out)) continue;
      last = source;
      const isMissing = (await sources.missing([source])).length > 0;
      if (isMissing) missing.push(source);
      if (isMissing || order <= since) known++;
    }
    return { missing, known };
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
    /** Keeps the outputs of sources below this folder, which may only be unreachable. */
    spare(folder: string) {
      for (const path of gone.keys()) if (isBelow(path, folder)) gone.delete(path);
    },
    /**
     * The recorded sources that were removed while no watch ran. Call it before the watch adds sources: they are not known
     * from before.
     */
    async removedBefore(): Promise<string[]> {
      const removed: string[] = [];
      for (const folder of sources.folders) {
        const judged = await judgeMissing(context, { folder, ...(await missingBelow(folder)) }, mirror);
        for (const warning of judged.warnings) emit(warning);
        for (const source of judged.gone) removed.push(source);
      }
      return removed;
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
