import { leftOf } from '../../model/totals.ts';
import type { WatchOptions } from '../../model.ts';
import { tooManyGone } from '../batch/mirror-plan.ts';
import type { Clock } from '../clock.ts';
import type { JobContext } from '../job/context.ts';
import { isBelow } from '../job/facts.ts';
import { removeRecorded } from '../job/superseded.ts';

/** Milliseconds between checks whether all other work is done. */
const LOOK_AGAIN = 500;
/** Milliseconds of the longest wait for other work. */
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
  /** Sources that are gone, with the time since when. */
  const gone = new Map<string, number>();
  let next = Number.POSITIVE_INFINITY;

  /** Notes sources that are gone. */
  function lost(paths: readonly string[]): void {
    for (const path of paths) gone.set(path, clock.now());
    if (gone.size > 0) next = Math.min(next, clock.now() + 2 * settle);
  }

  /** Removes the outputs of a removed source. Outputs that cannot be removed stay until the next start of the watch. */
  async function follow(source: string): Promise<void> {
    const own = (await index.ownedBy(source)).filter(({ path }) => isBelow(path, options.out));
    await removeRecorded(context, source, own, true);
  }

  return {
    lost,
    /** Keeps the outputs of sources below this folder, which may only be unreachable. */
    spare(folder: string) {
      for (const path of gone.keys()) if (isBelow(path, folder)) gone.delete(path);
    },
    /** Finds recorded sources that were removed while no watch ran. `has` returns whether a source exists. */
    async compare(has: (path: string) => boolean): Promise<void> {
      for (const folder of sources.folders) {
        const absent: string[] = [];
        let all = 0;
        for await (const path of index.sourcesBelow(folder)) {
          all++;
          if (!has(path)) absent.push(path);
        }
        const refusal = mirror === 'all' ? undefined : tooManyGone(sources, folder, absent, all);
        if (refusal === undefined) lost(absent);
        else emit(refusal);
      }
    },
    /** Removes outputs that are due. While sources are settling or in work, it waits longer. */
    async work(isBusy: boolean): Promise<void> {
      if (clock.now() < next) return;
      const left = leftOf((await index.batch(run.batch)).counts);
      const least = isBusy || left > 0 ? LONGEST : 2 * settle;
      const due = [...gone].filter(([, since]) => clock.now() - since >= least).map(([path]) => path);
      for (const path of due) gone.delete(path);
      for (const path of await sources.missing(due)) {
        // Outputs that other sources take over must never be missing, so they stay until then.
        if (await passNames(path)) gone.set(path, clock.now());
        else await follow(path);
      }
      next = gone.size === 0 ? Number.POSITIVE_INFINITY : clock.now() + LOOK_AGAIN;
    },
    /** Milliseconds until there may be something to do. */
    left: () => Math.max(0, next - clock.now()),
  };
}
