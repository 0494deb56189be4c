import { asImgtoolError } from '../../errors.ts';
import type { Event, OutputRecord } from '../../model.ts';
import type { Staged } from '../../ports.ts';
import type { Clock } from '../clock.ts';
import { giveAway } from '../job/commit.ts';
import type { JobContext } from '../job/context.ts';
import { isMade } from '../job/decide.ts';
import { pathAsGiven } from '../job/events.ts';
import { isBelow, isIntact } from '../job/facts.ts';

/** Removes outputs after their sources. A renamed source has had its time by then to take over its own. */
export interface Mirror {
  /** These sources were there and are no more. */
  lost(sources: readonly string[]): void;
  /** What is lost below this folder may only be out of sight. */
  spare(folder: string): void;
  /** Looks for recorded sources that went while nobody watched; `has` tells which are there. */
  compare(has: (path: string) => boolean): Promise<void>;
  /** Removes what is due, unless sources are about to be done that may want it. */
  work(isBusy: boolean): Promise<void>;
  /** Milliseconds until there may be something to do. */
  left(): number;
}

/** Milliseconds between looks at whether all other work is done. */
const LOOK_AGAIN = 500;
/** Milliseconds after which it is not waited for any longer. */
const LONGEST = 60_000;

/** `passNames` starts the work that gives the names of a source that is gone to others; false when none wait for them. */
export function openMirror(
  context: JobContext,
  settle: number,
  clock: Clock,
  emit: (event: Event) => void,
  passNames: (gone: string) => Promise<boolean>,
): Mirror {
  const { index, sources, run } = context;
  /** Sources that are gone, and since when. */
  const gone = new Map<string, number>();
  let next = Number.POSITIVE_INFINITY;
  const lost = (paths: Iterable<string>) => {
    for (const path of paths) gone.set(path, clock.now());
    if (gone.size > 0) next = Math.min(next, clock.now() + 2 * settle);
  };
  const goneFor = (least: number) =>
    [...gone].filter(([, since]) => clock.now() - since >= least).map(([path]) => path);
  return {
    lost,
    spare(folder) {
      for (const path of [...gone.keys()]) if (isBelow(path, folder)) gone.delete(path);
    },
    async compare(has) {
      for (const folder of sources.folders) {
        const absent: string[] = [];
        let present = 0;
        for await (const path of index.sourcesBelow(folder)) {
          if (has(path)) present++;
          else absent.push(path);
        }
        if (absent.length <= present) lost(absent);
        else emit(mostGone(sources.givenOf(folder), absent.length, present + absent.length));
      }
    },
    async work(isBusy) {
      if (clock.now() < next) return;
      const { pending, processing, retrying } = (await index.batch(run.batch)).counts;
      const due = goneFor(isBusy || pending + processing + retrying > 0 ? LONGEST : 2 * settle);
      for (const path of due) gone.delete(path);
      for (const path of await sources.missing(due)) {
        // What others take over is not missing for a moment.
        if (await passNames(path)) gone.set(path, clock.now());
        else await follow(path);
      }
      next = gone.size === 0 ? Number.POSITIVE_INFINITY : clock.now() + LOOK_AGAIN;
    },
    left: () => Math.max(0, next - clock.now()),
  };

  /** Outputs that cannot be removed stay until the next start; nothing else suffers for them. */
  async function follow(path: string): Promise<void> {
    try {
      await removeOutputs(context, path, emit);
    } catch (thrown) {
      const error = asImgtoolError(thrown);
      if (error.fatal) throw error;
      const message = `${sources.givenOf(path)}: its outputs could not be removed: ${error.message}`;
      emit({ type: 'warning', message, ...(error.fix === undefined ? {} : { fix: error.fix }) });
    }
  }
}

/** Rather a disk that is to be mounted there than so many pictures deleted. */
function mostGone(folder: string, absent: number, all: number): Event {
  return {
    type: 'warning',
    message: `${folder}: ${absent} of the ${all} pictures known from before are not there; no outputs were removed after them`,
    fix: 'mount or name the right folder; if they are really gone, remove the outputs yourself',
  };
}

/**
 * Removes the outputs of a source that is gone from the batch's output folder: those that are its own and as they were
 * left. Duplicates that were skipped are given theirs first. A file somebody changed since stays, and is nobody's.
 */
async function removeOutputs(
  context: JobContext,
  source: string,
  emit: (event: Event) => void,
): Promise<void> {
  const { index, storage, options, sources, run } = context;
  const own = (await index.ownedBy(source)).filter(({ path }) => isBelow(path, options.out));
  const disk = await storage.stat(own.map(({ path }) => path));
  const given: OutputRecord[] = [];
  let removed: string[] = [];
  const staged: Staged[] = [];
  try {
    for (const [i, record] of own.entries()) {
      if (!isMade(record) || !(await isIntact(record, disk[i] ?? null, storage))) continue;
      given.push(...(await giveAway(context, record, source, staged)));
      removed.push(record.path);
    }
    // Meanwhile a renamed source may have inherited some.
    const still = new Set((await index.ownedBy(source)).map(({ path }) => path));
    removed = removed.filter((path) => still.has(path));
    // Among the sources a folder is the user's.
    await storage.remove(removed, (await sources.covers(own[0]?.path ?? '')) ? null : options.out);
  } finally {
    for (const one of staged) await one.discard();
  }
  const names = own.map(({ path }) => path);
  await index.forget(source, names, given);
  if (removed.length === 0) return;
  const paths = removed.map((path) => pathAsGiven(path, options));
  emit({ type: 'removed', batch: run.batch, source: sources.givenOf(source), paths });
}
