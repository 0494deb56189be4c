import type { BatchFinished, Event, WatchOptions } from '../model.ts';
import type { Found, Hint } from '../ports.ts';
import { type Arrivals, openArrivals } from './arrivals.ts';
import { type NewWork, type Ports, runBatch } from './batch.ts';
import { type Clock, systemClock } from './clock.ts';
import { CHUNK, type TakeIn } from './intake.ts';
import type { Bench } from './job.ts';
import { openMirror } from './mirror.ts';
import { openNews } from './news.ts';
import { LONG, UNTIL_NEXT } from './patience.ts';
import { openSchedule } from './schedule.ts';
import { openSettling } from './settling.ts';

/**
 * One batch that does not end by itself: what is there, then whatever lands. Walks through everything make it right;
 * what the system tells of changes makes it fast. Else as `runBatch`.
 */
export function runWatch(
  ports: Ports,
  work: NewWork,
  options: WatchOptions,
  emit: (event: Event) => void,
  signal: AbortSignal,
  clock = systemClock,
): Promise<BatchFinished> {
  const patience = options.once ? UNTIL_NEXT : LONG;
  return runBatch(ports, work, emit, signal, {
    takeIn: keepWatch(options, clock),
    patience,
    isEndless: !options.once,
  });
}

/** More hints in one turn than this, and the system may have dropped some. */
const FLOOD = 4_096;
/** Files that may wait to come to rest before a walk waits for them. */
const MOST_SETTLING = 10_000;

function keepWatch(options: WatchOptions, clock: Clock): TakeIn {
  return async (bench, emit, chunkDone, signal) => {
    const { sources, run, index } = bench;
    const news = openNews(clock);
    const schedule = openSchedule(options.scanInterval, clock);
    const mirror = options.mirror ? openMirror(bench, options.settle, clock, emit) : undefined;
    const hinted = new Set<string>();
    let rested: Found[] = [];
    let told = '';

    const settling = openSettling({
      settle: options.settle,
      clock,
      statAll: sources.statAll,
      settled(found) {
        rested.push(...found);
        news.wake();
      },
      restless({ source, given }) {
        emit({ type: 'still_written', batch: run.batch, source: given });
        if (options.once) settling.drop(source);
      },
    });
    const arrivals = openArrivals(bench, settling, emit, chunkDone);
    const watcher = options.once ? undefined : sources.watch(hear, options);
    signal.addEventListener('abort', news.wake, { once: true });
    try {
      chunkDone(arrivals.walked, false);
      await scan(options.existing);
      if (!options.existing) {
        for (const path of await leftByLast(bench)) {
          arrivals.forget([path]);
          hinted.add(path);
        }
      }
      while (!signal.aborted && !isDone()) await turn();
      if (options.once && !signal.aborted) chunkDone(arrivals.walked, true);
      return arrivals.walked;
    } finally {
      signal.removeEventListener('abort', news.wake);
      settling.close();
      await watcher?.close();
    }

    function hear(hint: Hint): void {
      if (hint.type === 'warning') emit(hint);
      else if (hint.type === 'lost') schedule.hurry();
      else hinted.add(hint.path);
      news.wake();
    }

    function isDone(): boolean {
      const isMirrored = mirror === undefined || mirror.left() === Number.POSITIVE_INFINITY;
      return options.once && isMirrored && settling.size + rested.length + hinted.size === 0;
    }

    /** Does what is to be done first, or waits for something. */
    async function turn(): Promise<void> {
      if (rested.length > 0) return takeRested();
      if (schedule.isDue()) return scan(true);
      if (hinted.size > 0) return lookAt(takeHinted());
      if (settling.size === 0 && (await mirror?.work())) return;
      tellWatching();
      await news.news(Math.min(schedule.left(), mirror?.left() ?? Number.POSITIVE_INFINITY));
    }

    async function takeRested(): Promise<void> {
      const taken = rested;
      rested = [];
      for (let at = 0; at < taken.length; at += CHUNK) await arrivals.take(taken.slice(at, at + CHUNK));
    }

    function takeHinted(): string[] {
      const paths = [...hinted];
      hinted.clear();
      if (paths.length > FLOOD) schedule.hurry();
      return paths;
    }

    async function lookAt(paths: readonly string[]): Promise<void> {
      const found: Found[] = [];
      for (const at of paths) {
        for await (const entry of sources.walk(signal, { at, isKnown: arrivals.isKnown })) {
          if (entry.type === 'found') found.push(entry);
          else if (entry.type === 'skipped') arrivals.passOver(entry);
          else {
            const gone = entry.wasFolder ? arrivals.below(entry.path) : [entry.path];
            mirror?.lost(gone.filter(arrivals.has));
            arrivals.forget(gone);
            // What became of its place in the same moment may not have been told.
            if (entry.wasFolder) schedule.hurry();
          }
          if (found.length === CHUNK) for (const one of found.splice(0)) settling.offer(one);
        }
      }
      for (const one of found) settling.offer(one);
    }

    /** Walks through everything. Unless `take`, what is there is only taken note of. */
    async function scan(take: boolean): Promise<void> {
      const started = clock.now();
      let met = 0;
      let changed = 0;
      let chunk: Found[] = [];
      const isFirst = !arrivals.walked.ended;
      const isKnown: Arrivals['isKnown'] = (path, facts) => {
        met++;
        return arrivals.isKnown(path, facts);
      };
      arrivals.nextRound();
      for await (const entry of sources.walk(signal, { isKnown })) {
        if (entry.type === 'skipped') arrivals.passOver(entry);
        else if (entry.type === 'found' && !take) arrivals.leave(entry);
        else if (entry.type === 'found' && chunk.push(entry) === CHUNK) {
          changed += chunk.length;
          await meet(chunk);
          chunk = [];
        }
      }
      changed += chunk.length;
      await meet(chunk);
      if (signal.aborted) return;
      // What could not be walked this time is not gone.
      const missed = await sources.missing(arrivals.notMet());
      arrivals.forget(missed);
      mirror?.lost(missed);
      if (isFirst) await mirror?.compare(arrivals.has);
      arrivals.walked.ended = true;
      await index.walked(run, arrivals.walked.passedOver, true);
      const ms = clock.now() - started;
      schedule.walked(ms, watcher?.by === 'polling');
      if (!isFirst) emit({ type: 'scanned', batch: run.batch, sources: met, changed, ms: Math.round(ms) });
    }

    async function meet(chunk: readonly Found[]): Promise<void> {
      await arrivals.meet(chunk);
      await takeRested();
      while (settling.size > MOST_SETTLING && !signal.aborted) {
        await news.news();
        await takeRested();
      }
    }

    function tellWatching(): void {
      if (watcher === undefined) return;
      const { folders, by } = watcher;
      if (told === `${folders} ${by}`) return;
      told = `${folders} ${by}`;
      emit({ type: 'watching', batch: run.batch, folders, by });
    }
  };
}

/** Sources that the last watch of the same folders had not come to when it was stopped. */
async function leftByLast({ index, run }: Bench): Promise<string[]> {
  const own = await index.batch(run.batch);
  const isSame = (one: typeof own) =>
    one.command === 'watch' &&
    one.out === own.out &&
    one.cwd === own.cwd &&
    `${one.inputs}` === `${own.inputs}`;
  const last = (await index.batches(100)).find((one) => one.id !== own.id && isSame(one));
  const left: string[] = [];
  if (last === undefined) return left;
  for await (const { source } of index.jobs(last.id, ['pending', 'processing', 'retrying', 'cancelled'])) {
    left.push(source);
  }
  return left;
}
