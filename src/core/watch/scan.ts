import type { Event } from '../../model.ts';
import type { FoundSource, Skipped } from '../../ports.ts';
import { CHUNK } from '../batch/intake.ts';
import type { Clock } from '../clock.ts';
import type { JobContext } from '../job/context.ts';
import { isBelow } from '../job/facts.ts';
import type { Arrivals } from './arrivals.ts';
import type { Mirror } from './mirror.ts';

/** How a watch finds out what there is: nothing but a walk is trusted. */
export interface Scans {
  /** Walks through everything; milliseconds it took. Unless `take`, what is there is only taken note of. */
  all(take: boolean): Promise<number>;
  /** Walks what lies at these paths. True when a folder is gone: what became of its place may not have been told. */
  parts(paths: readonly string[]): Promise<boolean>;
  /** Below this folder what is not met is not gone: a disk may have been mounted or taken away. */
  replaced(folder: string): void;
}

interface ScanOptions {
  readonly arrivals: Arrivals;
  readonly mirror: Mirror | undefined;
  /** Takes files that have to come to rest before they are taken. */
  readonly letRest: (found: readonly FoundSource[]) => Promise<void>;
  readonly clock: Clock;
  readonly emit: (event: Event) => void;
  readonly signal: AbortSignal;
}

export function openScans({ sources, index, run }: JobContext, options: ScanOptions): Scans {
  const { arrivals, mirror, letRest, clock, emit, signal } = options;
  const { walked } = arrivals;
  const replaced = new Set<string>();
  /** Links that the walk has passed over. */
  const links = new Set<string>();

  return {
    async all(isTaken) {
      const started = clock.now();
      const isFirst = !walked.ended;
      let met = 0;
      let changed = 0;
      let chunk: FoundSource[] = [];
      const flush = async () => {
        changed += chunk.length;
        await letRest(await arrivals.sort(chunk));
        chunk = [];
      };
      const isKnown: Arrivals['isKnown'] = (path, facts) => {
        met++;
        return arrivals.isKnown(path, facts);
      };
      arrivals.nextRound();
      for await (const entry of sources.walk(signal, { isKnown })) {
        if (entry.type === 'skipped') passOver(entry);
        else if (entry.type !== 'found') continue;
        else if (!isTaken) arrivals.leave(entry);
        else if ((await take(entry, chunk)) === CHUNK) await flush();
      }
      await flush();
      await letGoBehindLinks();
      if (signal.aborted) return clock.now() - started;
      await forgetMissed();
      if (isFirst) await mirror?.compare(arrivals.has);
      walked.ended = true;
      await index.walked(run, walked.passedOver, true);
      const ms = clock.now() - started;
      if (!isFirst) emit({ type: 'scanned', batch: run.batch, sources: met, changed, ms: Math.round(ms) });
      return ms;
    },
    async parts(paths) {
      let isFolderGone = false;
      const found: FoundSource[] = [];
      for (const at of paths) {
        // Of what lies below a folder that was told of, or is only polled, no change was told.
        const isKnown: Arrivals['isKnown'] = (path, facts) =>
          path === at ? arrivals.isKnownGood(path, facts) : arrivals.isKnown(path, facts);
        for await (const entry of sources.walk(signal, { at, isKnown })) {
          if (entry.type === 'found') await take(entry, found);
          else if (entry.type === 'skipped') passOver(entry);
          else {
            isFolderGone ||= entry.wasFolder;
            await forget(entry.wasFolder ? arrivals.below(entry.path) : [entry.path]);
          }
          if (found.length === CHUNK) await letRest(found.splice(0));
        }
      }
      await letRest(found);
      await letGoBehindLinks();
      return isFolderGone;
    },
    replaced(folder) {
      replaced.add(folder);
      mirror?.spare(folder);
    },
  };

  /** A file of which nothing can be told is gone by now, or out of reach. */
  async function take(entry: FoundSource, among: FoundSource[]): Promise<number> {
    if (entry.facts !== null) return among.push(entry);
    const isGone = (await sources.missing([entry.source])).length > 0;
    const { source: path, given } = entry;
    if (!isGone) arrivals.passOver({ type: 'skipped', path, given, reason: 'unreadable' });
    return among.length;
  }

  function passOver(entry: Skipped): void {
    if (entry.reason === 'symlink') links.add(entry.path);
    arrivals.passOver(entry);
  }

  /** What links have taken the place of leaves the batch, unless it is in work: then its job finds out. */
  async function letGoBehindLinks(): Promise<void> {
    if (links.size > 0) await arrivals.letGo(arrivals.behind(links));
    links.clear();
  }

  /** What could not be walked this time is not gone. */
  async function forgetMissed(): Promise<void> {
    await forget(await sources.missing(arrivals.notMet()));
    replaced.clear();
  }

  async function forget(gone: readonly string[]): Promise<void> {
    const isSpared = (path: string) => [...replaced].some((folder) => isBelow(path, folder));
    mirror?.lost(gone.filter((path) => arrivals.has(path) && !isSpared(path)));
    await arrivals.forget(gone);
  }
}
