import type { Event, OutputRecord } from '../model.ts';
import type { Staged } from '../ports.ts';
import type { Clock } from './clock.ts';
import { giveAway } from './commit.ts';
import { isMade } from './decide.ts';
import { isBelow, isIntact } from './facts.ts';
import type { Bench } from './job.ts';
import { pathAsGiven } from './tell.ts';

/** Removes outputs after their sources. A renamed source has had its time by then to take over its own. */
export interface Mirror {
  /** These sources were there and are no more. */
  lost(sources: readonly string[]): void;
  /** What is lost below this folder may only be out of sight. */
  spare(folder: string): void;
  /** Looks for recorded sources that went while nobody watched; `has` tells which are there. */
  compare(has: (path: string) => boolean): Promise<void>;
  /** Removes what is due, unless sources are about to be done that may want it; whether there was anything. */
  work(isBusy: boolean): Promise<boolean>;
  /** Milliseconds until there may be something to do. */
  left(): number;
}

/** Milliseconds between looks at whether all other work is done. */
const LOOK_AGAIN = 500;
/** Milliseconds after which it is not waited for any longer. */
const LONGEST = 60_000;

export function openMirror(bench: Bench, settle: number, clock: Clock, emit: (event: Event) => void): Mirror {
  const { index, sources, run } = bench;
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
        if (present > 0 || absent.length === 0) lost(absent);
        else emit(allGone(sources.givenOf(folder), absent.length));
      }
    },
    async work(isBusy) {
      if (clock.now() < next) return false;
      const { pending, processing } = (await index.batch(run.batch)).counts;
      const due = goneFor(isBusy || pending + processing > 0 ? LONGEST : 2 * settle);
      for (const path of due) gone.delete(path);
      for (const path of await sources.missing(due)) await removeOutputs(bench, path, emit);
      next = gone.size === 0 ? Number.POSITIVE_INFINITY : clock.now() + LOOK_AGAIN;
      return due.length > 0;
    },
    left: () => Math.max(0, next - clock.now()),
  };
}

/** Rather an empty folder where a disk is to be mounted than so many pictures deleted. */
function allGone(folder: string, absent: number): Event {
  return {
    type: 'warning',
    message: `${folder}: none of the ${absent} pictures known from before is there; no outputs were removed after them`,
    fix: 'mount or name the right folder; if they are really gone, remove the outputs yourself',
  };
}

/**
 * Removes the outputs of a source that is gone from the batch's output folder: those that are its own and as they were
 * left. Duplicates that were skipped are given theirs first. A file somebody changed since stays, and is nobody's.
 */
async function removeOutputs(bench: Bench, source: string, emit: (event: Event) => void): Promise<void> {
  const { index, storage, options, sources, run } = bench;
  const own = (await index.ownedBy(source)).filter(({ path }) => isBelow(path, options.out));
  const disk = await storage.stat(own.map(({ path }) => path));
  const given: OutputRecord[] = [];
  const removed: string[] = [];
  const staged: Staged[] = [];
  try {
    for (const [i, record] of own.entries()) {
      if (!isMade(record) || !(await isIntact(record, disk[i] ?? null, storage))) continue;
      given.push(...(await giveAway(bench, record, source, staged)));
      removed.push(record.path);
    }
    await storage.remove(removed, options.out);
  } finally {
    for (const one of staged) await one.discard();
  }
  const names = own.map(({ path }) => path);
  await index.forget(source, names, given);
  if (removed.length === 0) return;
  const outputs = removed.map((path) => pathAsGiven(path, options));
  emit({ type: 'removed', batch: run.batch, source: sources.givenOf(source), outputs });
}
