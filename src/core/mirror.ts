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
  /** Looks for recorded sources that went while nobody watched; `has` tells which are there. */
  compare(has: (path: string) => boolean): Promise<void>;
  /** Removes what is due while nothing else is in hand; whether there was anything. */
  work(): Promise<boolean>;
  /** Milliseconds until there may be something to do. */
  left(): number;
}

/** Milliseconds between looks at whether all other work is done. */
const LOOK_AGAIN = 500;

export function openMirror(bench: Bench, settle: number, clock: Clock, emit: (event: Event) => void): Mirror {
  const { index, sources, run } = bench;
  /** Sources that are gone, and when they may be followed. */
  const gone = new Map<string, number>();
  const lost = (paths: Iterable<string>) => {
    for (const path of paths) gone.set(path, clock.now() + 2 * settle);
  };
  const dueNow = () => [...gone].filter(([, due]) => due <= clock.now()).map(([path]) => path);
  return {
    lost,
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
    async work() {
      const due = dueNow();
      if (due.length === 0) return false;
      const { counts } = await index.batch(run.batch);
      if (counts.pending + counts.processing > 0) {
        for (const path of due) gone.set(path, clock.now() + LOOK_AGAIN);
        return false;
      }
      for (const path of due) gone.delete(path);
      for (const path of await sources.missing(due)) await removeOutputs(bench, path, emit);
      return true;
    },
    left: () => Math.max(0, Math.min(...gone.values()) - clock.now()),
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
