import { asImgtoolError, failureOf } from '../../errors.ts';
import type { SourceFacts } from '../../model.ts';
import type { FoundSource, Gone, WalkEntry } from '../../ports.ts';
import { CHUNK } from '../batch/intake.ts';
import type { Clock } from '../clock.ts';
import type { JobContext } from '../job/context.ts';
import { isBelow } from '../job/facts.ts';
import type { Arrivals } from './arrivals.ts';
import type { Known } from './known.ts';
import type { Mirror } from './mirror.ts';

interface ScanOptions {
  readonly known: Known;
  readonly arrivals: Arrivals;
  readonly mirror: Mirror | undefined;
  readonly clock: Clock;
  /** Receives files that must settle before they get jobs. */
  readonly letRest: (found: readonly FoundSource[]) => Promise<void>;
}

/** How a watch finds files. It trusts only walks. */
export function openScans({ sources, index, run, emit, signal }: JobContext, options: ScanOptions) {
  const { known, arrivals, mirror, letRest, clock } = options;
  const { walked } = arrivals;
  const replaced = new Set<string>();
  /** Links that the walk has passed over. */
  const links = new Set<string>();

  return {
    /** Walks through everything. Returns the duration in milliseconds. Without `isTaken` it only notes files. */
    async all(isTaken: boolean): Promise<number> {
      const started = clock.now();
      const isFirst = !walked.ended;
      let met = 0;
      let changed = 0;
      const chunk: FoundSource[] = [];
      const flush = async () => {
        changed += chunk.length;
        await letRest(await arrivals.sort(chunk.splice(0)));
      };
      const isKnown = (path: string, facts: SourceFacts) => {
        met++;
        return arrivals.isKnown(path, facts);
      };
      known.nextRound();
      const removed = isFirst ? await mirror?.removedBefore() : undefined;
      for await (const entry of sources.walk(signal, { isKnown })) {
        if (entry.type === 'gone') continue;
        if (entry.type === 'found' && !isTaken) arrivals.leave(entry);
        else await meet(entry, chunk);
        if (chunk.length === CHUNK) await flush();
      }
      await flush();
      await letGoBehindLinks();
      if (signal.aborted) return clock.now() - started;
      // Forget files that the walk did not meet and that are certainly missing.
      await forget(await sources.missing(known.notMet()));
      replaced.clear();
      arrivals.endRound();
      mirror?.lost(removed ?? []);
      walked.ended = true;
      await index.walked(run, walked.passedOver, true);
      const ms = clock.now() - started;
      if (!isFirst) emit({ type: 'scanned', sources: met, changed, ms: Math.round(ms) });
      return ms;
    },
    /** Walks these paths. Returns true when a folder is gone: then the system may not have reported all changes. */
    async parts(paths: readonly string[]): Promise<boolean> {
      let isFolderGone = false;
      const found: FoundSource[] = [];
      for (const at of paths) {
        // The change was reported for `at` itself, not for the files below it.
        const isKnown = (path: string, facts: SourceFacts) => arrivals.isKnown(path, facts, path === at);
        for await (const entry of sources.walk(signal, { at, isKnown })) {
          if (entry.type !== 'gone') await meet(entry, found);
          else {
            isFolderGone ||= entry.wasFolder;
            await forget(entry.wasFolder ? known.below(entry.path) : [entry.path]);
          }
          if (found.length === CHUNK) await letRest(found.splice(0));
        }
      }
      await letRest(found);
      await letGoBehindLinks();
      return isFolderGone;
    },
    /** Files not met below this folder do not count as gone: a disk may have been mounted or removed. */
    replaced(folder: string) {
      replaced.add(folder);
      mirror?.spare(folder);
    },
  };

  async function meet(entry: Exclude<WalkEntry, Gone>, among: FoundSource[]): Promise<void> {
    if (entry.type === 'warning') emit(entry);
    else if (entry.type === 'unreadable') await arrivals.fail(entry, entry.error);
    else if (entry.type === 'skipped') {
      if (entry.reason === 'symlink') links.add(entry.path);
      arrivals.passOver(entry);
    } else if (entry.facts !== null) among.push(entry);
    // A file without facts is either gone by now or unreadable.
    else if ((await sources.missing([entry.source])).length === 0) {
      const error = await sources.stat(entry.source).then(() => undefined, asImgtoolError);
      // When the file has become readable, the next walk takes it.
      if (error !== undefined) await arrivals.fail(entry, failureOf(error));
    }
  }

  /** Withdraws files that a link has replaced. The job of a file in work finds the link itself. */
  async function letGoBehindLinks(): Promise<void> {
    if (links.size > 0) await arrivals.letGo(arrivals.behind(links));
    links.clear();
  }

  async function forget(gone: readonly string[]): Promise<void> {
    const isSpared = (path: string) => [...replaced].some((folder) => isBelow(path, folder));
    mirror?.lost(gone.filter((path) => arrivals.has(path) && !isSpared(path)));
    await arrivals.forget(gone);
  }
}
