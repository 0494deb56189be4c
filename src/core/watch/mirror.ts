import { asImgtoolError } from '../../errors.ts';
import { leftOf } from '../../model/totals.ts';
import type { OutputRecord } from '../../model.ts';
import type { Staged } from '../../ports.ts';
import { pathAsGiven } from '../batch/names.ts';
import type { Clock } from '../clock.ts';
import { giveAway } from '../job/commit.ts';
import type { JobContext } from '../job/context.ts';
import { isMade } from '../job/decide.ts';
import { isBelow, isIntact } from '../job/facts.ts';

/** Milliseconds between checks whether all other work is done. */
const LOOK_AGAIN = 500;
/** Milliseconds of the longest wait for other work. */
const LONGEST = 60_000;

export type Mirror = ReturnType<typeof openMirror>;

/**
 * Removes outputs of sources that are gone. It first gives a renamed source time to take over its outputs. `passNames`
 * starts the work that gives the names of a gone source to others, and returns false when none wait.
 */
export function openMirror(
  context: JobContext,
  settle: number,
  clock: Clock,
  passNames: (gone: string) => Promise<boolean>,
) {
  const { index, sources, run, emit } = context;
  /** Sources that are gone, with the time since when. */
  const gone = new Map<string, number>();
  let next = Number.POSITIVE_INFINITY;

  /** Notes sources that are gone. */
  function lost(paths: readonly string[]): void {
    for (const path of paths) gone.set(path, clock.now());
    if (gone.size > 0) next = Math.min(next, clock.now() + 2 * settle);
  }

  /** Outputs that cannot be removed stay until the next start of the watch. */
  async function follow(path: string): Promise<void> {
    try {
      await removeOutputs(context, path);
    } catch (thrown) {
      const error = asImgtoolError(thrown);
      if (error.fatal) throw error;
      const message = `${sources.givenOf(path)}: its outputs could not be removed: ${error.message}`;
      emit({ type: 'warning', message, ...(error.fix === undefined ? {} : { fix: error.fix }) });
    }
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
        if (2 * absent.length <= all) lost(absent);
        else {
          // An unmounted disk is more likely than so many deleted pictures.
          const missing = `${absent.length} of the ${all} pictures known from before are not there`;
          const message = `${sources.givenOf(folder)}: ${missing}; no outputs were removed after them`;
          const fix = 'mount or name the right folder; if they are really gone, remove the outputs yourself';
          emit({ type: 'warning', message, fix });
        }
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

/**
 * Removes the outputs that a gone source owns in the batch's output folder, if they are as recorded. Skipped duplicates
 * first get their own outputs. A changed file stays, and no source owns it any more.
 */
async function removeOutputs(context: JobContext, source: string): Promise<void> {
  const { index, storage, options, sources, run, emit } = context;
  const own = (await index.ownedBy(source)).filter(({ path }) => isBelow(path, options.out));
  const names = own.map(({ path }) => path);
  const disk = await storage.stat(names);
  const given: OutputRecord[] = [];
  let removed: string[] = [];
  const staged: Staged[] = [];
  try {
    for (const [i, record] of own.entries()) {
      if (!isMade(record) || !(await isIntact(record, disk[i] ?? null, storage))) continue;
      given.push(...(await giveAway(context, record, source, staged)));
      removed.push(record.path);
    }
    // A renamed source may have taken over some outputs in the meantime.
    const still = new Set((await index.ownedBy(source)).map(({ path }) => path));
    removed = removed.filter((path) => still.has(path));
    // A folder among the sources belongs to the user and is never removed.
    await storage.remove(removed, (await sources.covers(names[0] ?? '')) ? null : options.out);
  } finally {
    for (const one of staged) await one.discard();
  }
  await index.forget(source, names, given);
  if (removed.length === 0) return;
  const paths = removed.map((path) => pathAsGiven(path, options));
  emit({ type: 'removed', batch: run.batch, source: sources.givenOf(source), paths });
}
