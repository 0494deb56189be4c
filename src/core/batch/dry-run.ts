import { asImgtoolError, failureOf, outputExists } from '../../errors.ts';
import { JOB_STATES } from '../../model/jobs.ts';
import type { BatchFinished, Event, JobEvent, JobState, PictureFacts } from '../../model.ts';
import type { FoundSource } from '../../ports.ts';
import type { FactPorts } from '../job/context.ts';
import { decide, isMade, isUnknown, trustedDigest, type Wanted } from '../job/decide.ts';
import { pathAsGiven } from '../job/events.ts';
import { factsOfJob, withDigest } from '../job/facts.ts';
import { renamedSettings } from '../job/former-settings.ts';
import { refusal } from '../job/job.ts';
import { refusedNow } from '../job/limits.ts';
import { isMovedOutput } from '../job/moved.ts';
import { assertHoldable } from '../job/open-source.ts';
import { settingsOfAll } from '../job/settings-digest.ts';
import { failedEvent } from './intake.ts';
import type { NewWork, Ports } from './mode.ts';
import { askNames } from './reserve.ts';

/** A dry run is not recorded, so it has no id. */
const NO_BATCH = '';

/**
 * Reports what `runBatch` would do, by the same rule. Reads and digests sources, but renders, writes and records nothing.
 * Emits one job event with `would` for each source, and `batch.finished`. Errors: `not_writable`.
 */
export async function dryRun(
  ports: Ports,
  { options }: NewWork,
  emit: (event: Event) => void,
  signal: AbortSignal,
): Promise<BatchFinished> {
  const started = performance.now();
  await ports.storage.prepare(options.out);
  // Renaming records changes no output.
  await ports.index.renameSettings(renamedSettings(options));
  const factPorts: FactPorts = { ...ports, options, settings: settingsOfAll(options) };
  const given = new Map<string, string>();
  const firstWith = new Map<string, string>();
  const counts = Object.fromEntries(JOB_STATES.map((state) => [state, 0])) as Record<JobState, number>;
  let passedOver = 0;
  let bytesIn = 0;
  const { outGiven: out, preset, jobs } = options;
  emit({
    type: 'batch.started',
    batch: NO_BATCH,
    total: null,
    bytes: 0,
    out,
    preset: preset.name,
    jobs,
    dryRun: true,
  });
  for await (const entry of ports.sources.walk(signal)) {
    if (entry.type === 'gone') continue;
    if (entry.type === 'skipped' || (entry.type === 'found' && (await isOutput(factPorts, entry.source)))) {
      passedOver++;
      emit({
        type: 'passed_over',
        path: entry.given,
        reason: entry.type === 'skipped' ? entry.reason : 'output',
      });
      continue;
    }
    const event =
      entry.type === 'unreadable'
        ? failedEvent(entry, NO_BATCH)
        : await predict(ports, factPorts, entry, firstWith, given);
    counts[event.state]++;
    bytesIn += event.bytes ?? 0;
    emit(event);
  }
  const finished: BatchFinished = {
    type: 'batch.finished',
    batch: NO_BATCH,
    state: signal.aborted ? 'cancelled' : 'finished',
    counts,
    passedOver,
    bytesIn,
    bytesOut: 0,
    ms: Math.round(performance.now() - started),
    ...(signal.aborted ? { stopped: 'signal' as const } : {}),
    dryRun: true,
  };
  emit(finished);
  return finished;
}

async function isOutput(factPorts: FactPorts, path: string): Promise<boolean> {
  const lookup = await factPorts.index.lookup([path], []);
  return isMade(lookup.output(path)) || isMovedOutput(factPorts, path, lookup);
}

async function predict(
  ports: Ports,
  factPorts: FactPorts,
  found: FoundSource,
  firstWith: Map<string, string>,
  given: Map<string, string>,
): Promise<JobEvent> {
  const base = { type: 'job', batch: NO_BATCH, source: found.given } as const;
  try {
    const stat = await ports.sources.stat(found.source);
    const { names, gone } = await namesFor(factPorts, found, given);
    const asFound = await factsOfJob(factPorts, found.source, stat, names);
    const wanted = asFound.wanted.map((one) => passedOn(one, found.source, gone));
    const trusted = trustedDigest(stat, asFound.recorded);
    const refused = asFound.recorded && trusted && refusedNow(asFound.recorded, factPorts.options.limits);
    if (refused) throw refused;
    const opened = trusted === undefined ? await look(ports, found, factPorts) : undefined;
    const digest = trusted ?? opened!.digest;
    const facts = await withDigest(factPorts, { ...asFound, wanted }, digest);
    const decision = decide(facts);
    if (decision.action === 'render' && opened !== undefined)
      assertHoldable(opened.memory, factPorts.options.memoryCap);
    const steps = 'steps' in decision ? decision.steps : [];
    const adopted = new Set(steps.flatMap((step) => (step.kind === 'adopt' ? [step.wanted] : [])));
    const isTaken = (one: Wanted) => isUnknown(one) && !one.isMoved && !adopted.has(one);
    // A real run would adopt the same picture, but only rendering can show that it is the same.
    const taken = facts.force ? undefined : facts.wanted.find(isTaken);
    if (decision.action === 'refuse' || taken !== undefined) {
      const error = failureOf(
        decision.action === 'refuse' ? refusal(decision) : outputExists(taken?.path ?? ''),
      );
      return { ...base, state: 'failed', would: 'refuse', digest, bytes: stat.size, error };
    }
    if (decision.action === 'read') throw new Error('a job was foreseen before it was read');
    const first = firstWith.get(digest);
    firstWith.set(digest, first ?? found.given);
    const picture = { digest, bytes: stat.size };
    const ofOwn = steps.filter(({ kind }) => kind !== 'keep' && kind !== 'adopt');
    const wouldWrite = ofOwn.map(({ wanted }) => pathAsGiven(wanted.path, factPorts.options));
    if (decision.action === 'unchanged')
      return { ...base, ...picture, state: 'unchanged', would: 'unchanged' };
    if (
      decision.action === 'duplicate' ||
      (decision.action === 'render' && first !== undefined && !facts.force)
    ) {
      const of = decision.action === 'duplicate' ? ports.sources.givenOf(decision.of) : (first ?? '');
      // A skipped duplicate writes no outputs.
      const own = facts.duplicates === 'skip' ? {} : { wouldWrite };
      return { ...base, ...picture, state: 'duplicate', would: 'duplicate', duplicateOf: of, ...own };
    }
    return { ...base, ...picture, state: 'completed', would: decision.action, wouldWrite };
  } catch (thrown) {
    return { ...base, state: 'failed', error: failureOf(asImgtoolError(thrown)) };
  }
}

/** The wanted output as the job would find it: when the owner is gone, this source owns it. */
function passedOn(wanted: Wanted, source: string, gone: readonly string[]): Wanted {
  const { record } = wanted;
  return record !== undefined && gone.includes(record.source)
    ? { ...wanted, record: { ...record, source } }
    : wanted;
}

/** The names that a source would get, after those given to earlier sources, and the gone owners of these names. */
async function namesFor(
  factPorts: FactPorts,
  found: FoundSource,
  given: Map<string, string>,
): Promise<{ readonly names: readonly string[]; readonly gone: readonly string[] }> {
  const [asked] = await askNames({ ...factPorts, mirror: false }, [found]);
  const { candidates, kept, gone = [] } = asked!;
  const lookup = await factPorts.index.lookup([], candidates.flat());
  const isFree = (path: string) => {
    const owner = lookup.output(path)?.source ?? given.get(path.toLowerCase()) ?? found.source;
    return owner === found.source || gone.includes(owner);
  };
  const order = [...(kept === undefined ? [] : [kept]), ...candidates.keys()];
  const names = candidates[order.find((i) => candidates[i]?.every(isFree)) ?? 0]!;
  for (const path of names) given.set(path.toLowerCase(), found.source);
  return { names, gone };
}

async function look(
  { renderer, sources }: Ports,
  { source }: FoundSource,
  { options }: FactPorts,
): Promise<PictureFacts> {
  const file = { path: source, bounds: sources.boundsOf(source) };
  const opened = await renderer.open(file, options.limits, options.preset.variants);
  opened.close();
  return opened;
}
