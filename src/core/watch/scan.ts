import { asImgtoolError, failureOf } from '../../errors.ts';
import type { Event } from '../../model.ts';
import type { FoundSource, Skipped } from '../../ports.ts';
import { CHUNK } from '../batch/intake.ts';
import type { Clock } from '../clock.ts';
import type { JobContext } from '../job/context.ts';
import { isBelow } from '../job/facts.ts';
import type { Arrivals } from './arrivals.ts';
import type { Mirror } from './mirror.ts';

/** How a watch finds files. It trusts only walks. */
export interface Scans {
  /** Walks through everything. Returns the duration in milliseconds. Without `take` it only notes files. */
  all(take: boolean): Promise<number>;
  /** Walks these paths. Returns true when a folder is gone: then the system may not have reported all changes. */
  parts(paths: readonly string[]): Promise<boolean>;
  /** Files not met below this folder do not count as gone: a disk may have been mounted or removed. */
  replaced(folder: string): void;
}

interface ScanOptions {
  readonly arrivals: Arrivals;
  readonly mirror: Mirror | undefined;
  /** Receives files that must settle before they get jobs. */
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
        else if (entry.type === 'unreadable') await arrivals.fail(entry);
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
        // The change was reported for `at` itself, not for the files below it.
        const isKnown: Arrivals['isKnown'] = (path, facts) =>
          path === at ? arrivals.isKnownGood(path, facts) : arrivals.isKnown(path, facts);
        for await (const entry of sources.walk(signal, { at, isKnown })) {
          if (entry.type === 'found') await take(entry, found);
          else if (entry.type === 'skipped') passOver(entry);
          else if (entry.type === 'unreadable') await arrivals.fail(entry);
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

  /** A file without facts is either gone by now or unreadable. */
  async function take(entry: FoundSource, among: FoundSource[]): Promise<number> {
    if (entry.facts !== null) return among.push(entry);
    if ((await sources.missing([entry.source])).length > 0) return among.length;
    const error = await sources.stat(entry.source).then(() => undefined, asImgtoolError);
    // When the file has become readable, the next walk takes it.
    if (error !== undefined) await arrivals.fail({ ...entry, error: failureOf(error) });
    return among.length;
  }

  function passOver(entry: Skipped): void {
    if (entry.reason === 'symlink') links.add(entry.path);
    arrivals.passOver(entry);
  }

  /** Withdraws files that a link has replaced. The job of a file in work finds the link itself. */
  async function letGoBehindLinks(): Promise<void> {
    if (links.size > 0) await arrivals.letGo(arrivals.behind(links));
    links.clear();
  }

  /** Forgets files that the walk did not meet and that are certainly missing. */
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
