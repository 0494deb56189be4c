import type { Batch, BatchFinished, WatchOptions } from '../../model.ts';
import type { FoundSource, Hint, Watcher } from '../../ports.ts';
import type { ChunkDone, JobOutcome, Walked } from '../batch/intake.ts';
import { KEPT, type NewWork, runBatch } from '../batch/run.ts';
import { type Clock, openWakeup, systemClock, type Wakeup } from '../clock.ts';
import type { Emit, JobContext, Ports } from '../job/context.ts';
import { WATCH_ONCE_RETRIES, WATCH_RETRIES } from '../queue/retry-policy.ts';
import { openArrivals } from './arrivals.ts';
import { openKnown, type Stage } from './known.ts';
import { openMirror } from './mirror.ts';
import { openScans } from './scan.ts';
import { openChangeEvents, openSchedule } from './schedule.ts';
import { openSettling } from './settling.ts';

/** The stage of a source whose job has come so far. */
const STAGES: Readonly<Partial<Record<JobOutcome, Stage>>> = {
  completed: 'done',
  duplicate: 'done',
  unchanged: 'counted',
  failed: 'failed',
  retrying: 'failed',
};

/** Like `runBatch`, also for files that arrive. Full walks make it complete; change events make it fast. */
export function runWatch(
  ports: Ports,
  work: NewWork,
  options: WatchOptions,
  emit: Emit,
  signal: AbortSignal,
  clock = systemClock,
): Promise<BatchFinished> {
  const watch: WatchContext = { options, clock, wakeup: openWakeup(clock), outcomes: [] };
  return runBatch(ports, work, emit, signal, {
    takeIn: (context, chunkDone) => keepWatch(context, chunkDone, watch),
    retryPolicy: options.once ? WATCH_ONCE_RETRIES : WATCH_RETRIES,
    isEndless: !options.once,
    takesPlainNames: options.mirror !== false,
    ended({ source }, how) {
      watch.outcomes.push({ source, how });
      if (how === 'withdrawn') watch.wakeup.wake();
    },
  });
}

interface WatchContext {
  readonly options: WatchOptions;
  readonly clock: Clock;
  readonly wakeup: Wakeup;
  /** How jobs have ended since the watch last looked. */
  readonly outcomes: { readonly source: string; readonly how: JobOutcome }[];
}

/** Least milliseconds between walks through folders without change events. */
const POLL = 2_000;
/** Most settling files. Above this number a walk pauses. */
const MOST_SETTLING = 10_000;
/** Number of recent batches to search for former watches. */
const RECENT = 100;
const NEVER = Number.POSITIVE_INFINITY;

async function keepWatch(context: JobContext, chunkDone: ChunkDone, watch: WatchContext): Promise<Walked> {
  const { options, clock, wakeup, outcomes } = watch;
  const { sources, index, emit, signal } = context;
  const schedule = openSchedule(options.scanInterval, clock);
  const polls = openSchedule(POLL, clock);
  const mirror = options.mirror ? openMirror(context, options, clock, passNames) : undefined;
  const changes = openChangeEvents(clock);
  const known = openKnown();
  let reported = '';

  const settling = openSettling({
    settle: options.settle,
    clock,
    statAll: sources.statAll,
    // The next walk checks this path.
    lost: ({ source }) => void changes.keep(source),
    restless({ source, given }) {
      emit({ type: 'still_written', source: given });
      if (!options.once) return;
      settling.drop(source);
      emit({ type: 'warning', message: `${given}: is left to the next run: it is still being written` });
    },
  });
  const arrivals = openArrivals(context, known, settling, chunkDone);
  const scans = openScans(context, { known, arrivals, mirror, clock, letRest });
  const watcher = options.once ? undefined : sources.watch(receive, options);
  signal.addEventListener('abort', wakeup.wake, { once: true });
  try {
    chunkDone(arrivals.walked, false);
    await scan(options.existing);
    if (!options.existing) await checkAgain(await leftByFormer(context));
    while (!signal.aborted && !isDone()) await turn();
    if (options.once && !signal.aborted) chunkDone(arrivals.walked, true);
    // The next watch does not take files that are there at its start, so files that arrived since need jobs now.
    if (!options.existing) await arrivals.take(settling.all());
    return arrivals.walked;
  } finally {
    signal.removeEventListener('abort', wakeup.wake);
    await watcher?.close();
  }

  function receive(hint: Hint): void {
    if (hint.type === 'warning') emit(hint);
    else if (hint.type !== 'changed' || !changes.keep(hint.path)) schedule.hurry();
    if (hint.type === 'replaced') scans.replaced(hint.folder);
    wakeup.wake();
  }

  function isDone(): boolean {
    const isMirrored = mirror === undefined || mirror.left() === NEVER;
    return options.once && isMirrored && settling.size === 0 && changes.isEmpty();
  }

  /** Does the next piece of work, or waits for one. */
  async function turn(): Promise<void> {
    const withdrawn: string[] = [];
    for (const { source, how } of outcomes.splice(0)) {
      const stage = STAGES[how];
      if (stage !== undefined) known.advance(source, stage);
      // A file whose job has left the batch counts as new.
      if (how === 'withdrawn' && !options.once) withdrawn.push(source);
    }
    if (watcher !== undefined) reportWatching(watcher);
    await checkAgain(withdrawn);
    // Files that keep changing are checked again and again: they must not keep the watch from its walks.
    const isSettled = settling.left() === 0;
    if (isSettled) await takeRested();
    if (!options.once && schedule.isDue()) await scan(true);
    else if (!changes.isEmpty()) await check(changes.take());
    else if (watcher?.by === 'polling' && polls.isDue()) await poll(watcher.blind());
    else if (!isSettled) await wakeup.wait(untilDue());
    await mirror?.work(settling.size > 0, arrivals.sizesInWork);
  }

  /** Milliseconds until the next work is due; undefined when none is. */
  function untilDue(): number | undefined {
    const due = [settling.left(), mirror?.left() ?? NEVER];
    if (!options.once) due.push(schedule.left());
    if (watcher?.by === 'polling') due.push(polls.left());
    const next = Math.min(...due);
    return next === NEVER ? undefined : next;
  }

  async function scan(take: boolean): Promise<void> {
    schedule.walking();
    schedule.walked(await scans.all(take));
    await index.prune(Date.now() - KEPT);
  }

  async function poll(folders: readonly string[]): Promise<void> {
    const started = clock.now();
    await check(folders);
    polls.walked(clock.now() - started);
  }

  async function check(paths: readonly string[]): Promise<void> {
    if (await scans.parts(paths)) schedule.hurry();
  }

  async function checkAgain(paths: readonly string[]): Promise<void> {
    if (paths.length === 0) return;
    await arrivals.letGo(paths);
    for (const path of paths) changes.keep(path);
  }

  /** Checks the sources that take the names of a removed source. Returns false when there are none. */
  async function passNames(gone: string): Promise<boolean> {
    const heirs = arrivals.waitingFor(gone);
    await checkAgain(heirs);
    return heirs.length > 0;
  }

  /** Starts to wait for files to settle. Returns when not too many files are settling. */
  async function letRest(found: readonly FoundSource[]): Promise<void> {
    for (const one of found) settling.offer(one);
    await takeRested();
    while (settling.size > MOST_SETTLING && !signal.aborted) {
      await wakeup.wait(settling.left());
      await takeRested();
    }
  }

  async function takeRested(): Promise<void> {
    if (settling.left() > 0) return;
    const rested = await settling.check();
    if (rested.length > 0) await arrivals.take(rested);
  }

  function reportWatching({ folders, by }: Watcher): void {
    if (reported === `${folders} ${by}`) return;
    reported = `${folders} ${by}`;
    emit({ type: 'watching', folders, by });
  }
}

/** Sources that stopped watches of the same folders left behind. Looks back to the last watch that finished. */
async function leftByFormer({ index, run }: JobContext): Promise<string[]> {
  const own = await index.batch(run.batch);
  const keyOf = ({ command, out, cwd, inputs }: Batch) => JSON.stringify([command, out, cwd, inputs]);
  const isFormer = (batch: Batch) => batch.id !== own.id && keyOf(batch) === keyOf(own);
  const left = new Set<string>();
  for (const former of (await index.batches(RECENT)).filter(isFormer)) {
    if (former.state === 'finished') break;
    const jobs = index.jobs(former.id, ['pending', 'processing', 'retrying', 'cancelled']);
    for await (const { source } of jobs) left.add(source);
  }
  return [...left];
}
