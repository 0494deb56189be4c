import { asImgtoolError, editOfAnother, failureOf, type ImgtoolError, outputIsSource } from '../../errors.ts';
import { BatchTotals } from '../../model/totals.ts';
import type { BatchFinished, JobEvent, Unstamped } from '../../model.ts';
import type { Index, NewJob } from '../../ports.ts';
import type { Emit, JobContext, Ports } from '../job/context.ts';
import { changedOutputs, isAllLeft, isUnknown, type Step } from '../job/decide.ts';
import { editWarnings, firstOnlyOf, kindOf, wasReplaced } from '../job/events.ts';
import { judge, learn, look, refusal } from '../job/job.ts';
import { assertHoldable, openJobSource } from '../job/open-source.ts';
import { renamedSettings } from '../job/settings-digest.ts';
import { takeIn } from './intake.ts';
import { fittingDisk, foldName, pathAsGiven } from './names.ts';
import { contextOf, type NewWork } from './run.ts';

/** A dry run is not recorded, so it has no id. */
const NO_BATCH = '';

/** What a dry run has found out so far. */
interface Foreseen {
  /** The sources that get names or keep them, by folded name. */
  readonly owners: Map<string, string>;
  /** The first source with each digest, as given. */
  readonly firstWith: Map<string, string>;
  /** Sources that would fail, and folders that cannot be read. */
  readonly failed: Set<string>;
  /** Sources with a job that would end well, and leave no edit of former settings. */
  readonly done: Set<string>;
}

/**
 * Reports what `runBatch` would do, by the same intake and the same rule. Reads and digests sources, but renders, writes
 * and records nothing. Emits one job event with `would` for each source, and `batch.finished`. Errors: `not_writable`.
 */
export async function dryRun(ports: Ports, work: NewWork, emit: Emit, signal: AbortSignal) {
  const started = performance.now();
  const { storage, index } = ports;
  const options = fittingDisk(work.options, await storage.prepare(work.options.out));
  // Renaming records changes no output.
  await index.renameSettings(renamedSettings(options));
  const totals = new BatchTotals();
  let bytesIn = 0;
  const report = (event: Unstamped) => {
    if (event.type === 'walk') return;
    if (event.type === 'job') bytesIn += event.bytes ?? 0;
    const shown = event.type === 'job' && event.state === 'unchanged' ? asForeseen(event) : event;
    plain.emit(shown);
  };
  const foreseen: Foreseen = { owners: new Map(), firstWith: new Map(), failed: new Set(), done: new Set() };
  const run = { batch: NO_BATCH, run: ports.run };
  const begun = { dead: [], run, options, signal };
  const plain = contextOf(ports, begun, totals.counting(emit));
  const context: JobContext = {
    ...plain,
    emit: report,
    index: dryIndex(index, foreseen, async (job) => {
      const event = await predict(context, job, foreseen);
      if (event.state === 'failed') foreseen.failed.add(job.source);
      report(event);
    }),
  };
  const { outGiven: out, preset, jobs } = options;
  report({
    ...{ type: 'batch.started', total: null, bytes: 0, out, preset: preset.name, jobs },
    dryRun: true,
  });
  const plan = options.mirror ? await (await import('./mirror-plan.ts')).planMirror(plain) : undefined;
  // One source at a time: it is reported as soon as it is read.
  const { ended } = await takeIn(context, () => {}, { chunkSize: 1 });
  if (ended && plan !== undefined) {
    const { foreseeMirror } = await import('./mirror.ts');
    await foreseeMirror(plain, plan, foreseen);
  }
  const finished: BatchFinished = {
    type: 'batch.finished',
    batch: NO_BATCH,
    state: signal.aborted ? 'cancelled' : 'finished',
    counts: totals.counts,
    ...{ passedOver: totals.passedOver, ...totals.aside, degraded: totals.degraded, bytesIn, bytesOut: 0 },
    ms: Math.round(performance.now() - started),
    ...(signal.aborted ? { stopped: 'signal' as const } : {}),
    dryRun: true,
  };
  emit(finished);
  return finished;
}

function refused(error: ImgtoolError) {
  return { state: 'failed', would: 'refuse', error: failureOf(error) } as const;
}

/** An index that writes nothing. It reserves names in memory, and calls `added` for each new job. */
function dryIndex(index: Index, { owners, failed }: Foreseen, added: (job: NewJob) => Promise<void>): Index {
  return {
    ...index,
    addCtimes: async () => {},
    async ask(_preset, outputs) {
      for (const { path, source } of outputs) owners.set(foldName(path), source);
    },
    async lookup(sources, outputs) {
      const found = await index.lookup(sources, outputs);
      return {
        ...found,
        /** The record of a gone owner counts for the source that takes over its name. */
        output(path) {
          const record = found.output(path);
          const source = owners.get(foldName(path));
          return record && source !== undefined ? { ...record, source } : record;
        },
      };
    },
    async add(_, jobs) {
      for (const job of jobs) {
        if (job.failed === undefined) await added(job);
        else failed.add(job.source);
      }
      return jobs.length;
    },
  };
}

/** The event of an unchanged source without the fields of a real job. */
function asForeseen(event: Unstamped<JobEvent>): Unstamped<JobEvent> {
  const { type, source, state, digest = '', bytes = 0, degraded } = event;
  return { type, source, state, would: 'unchanged', digest, bytes, ...(degraded ? { degraded } : {}) };
}

/** Reserves the first candidate in which each name is free. Returns undefined when none is. */
async function reserve({ index }: JobContext, job: NewJob, { owners }: Foreseen) {
  const { source, candidates, kept, gone = [] } = job;
  const lookup = await index.lookup([], candidates.flat());
  const isFree = (path: string) => {
    const owner = owners.get(foldName(path)) ?? lookup.output(path)?.source ?? source;
    return owner === source || gone.includes(owner);
  };
  const order = [...(kept === undefined ? [] : [candidates[kept]]), ...candidates];
  const names = order.find((paths) => paths?.every(isFree));
  for (const path of names ?? []) owners.set(foldName(path), source);
  return names;
}

/** The event of a source whose job would begin. */
async function predict(context: JobContext, job: NewJob, foreseen: Foreseen): Promise<Unstamped<JobEvent>> {
  const { options, sources, emit } = context;
  const base = { type: 'job', source: job.given } as const;
  try {
    const names = await reserve(context, job, foreseen);
    let seen = await look(context, job.source, names);
    let memory = 0;
    if (seen.source === undefined) {
      const opened = await openJobSource(context, { path: job.source, bounds: sources.boundsOf(job.source) });
      opened.close();
      memory = opened.memory;
      const source = learn(job.source, opened, seen.facts.recorded, Date.now());
      seen = await judge(context, seen.facts, source);
    }
    const { facts, decision, source } = seen;
    if (decision.action === 'read' || source === undefined)
      throw new Error('a job was foreseen before it was read');
    if (decision.action === 'render') assertHoldable(memory, options.memoryCap);
    const isTagged = names?.[0] !== job.candidates[0]?.[0];
    const marks = {
      ...(isTagged ? { tagged: true as const } : {}),
      ...(source.degraded ? { degraded: true as const } : {}),
    };
    const known = { ...kindOf(source, options), ...firstOnlyOf(source, options.preset.variants) };
    const picture = { ...base, digest: source.digest, bytes: source.size, ...known, ...marks };
    const planned = 'steps' in decision ? decision.steps : [];
    // Only rendering can show that such a file is no edit.
    const steps = planned.map((step): Step => {
      const { wanted } = step;
      return wanted.isLeft && step.kind !== 'keep' ? { kind: 'leave', wanted } : step;
    });
    const inherited = facts.recorded === undefined ? steps.find(({ kind }) => kind === 'leave') : undefined;
    if (inherited !== undefined) return { ...picture, ...refused(editOfAnother(inherited.wanted.path)) };
    if (decision.action === 'refuse') return { ...picture, ...refused(refusal(decision)) };
    const made = steps.filter(({ kind }) => kind === 'render' || kind === 'place');
    const unknown = made.filter(({ wanted }) => isUnknown(wanted) && !wanted.isMoved);
    const heldBySource = unknown.find(({ wanted }) => wanted.holds !== null);
    if (heldBySource !== undefined)
      return { ...picture, ...refused(outputIsSource(heldBySource.wanted.path)) };
    const isBehind = ({ kind, wanted: { record, settings } }: Step) =>
      kind === 'leave' && record?.settings !== settings;
    if (!steps.some(isBehind)) foreseen.done.add(job.source);
    const first = foreseen.firstWith.get(source.digest);
    foreseen.firstWith.set(source.digest, first ?? job.given);
    if (decision.action === 'unchanged' || decision.action === 'retime') {
      return { ...picture, state: 'unchanged', would: 'unchanged' };
    }
    for (const warning of editWarnings(changedOutputs(steps), steps, options, true)) emit(warning);
    if (isAllLeft(steps)) return { ...picture, state: 'unchanged', would: 'unchanged' };
    const given = ({ wanted }: Step) => pathAsGiven(wanted.path, options);
    if (facts.force && unknown.length > 0) emit(wasReplaced(unknown.map(given), true));
    // Only rendering can show whether an unknown file has the bytes of the output: a real run then keeps it.
    const mayStay = facts.force ? [] : unknown;
    const wouldKeep = mayStay.length === 0 ? {} : { wouldKeep: mayStay.map(given) };
    const wouldWrite = made.filter((step) => !mayStay.includes(step)).map(given);
    const original = decision.action === 'duplicate' ? sources.givenOf(decision.of) : first;
    const mayBeCopy = decision.action === 'duplicate' || (decision.action === 'render' && !facts.force);
    if (mayBeCopy && original !== undefined) {
      // A skipped duplicate writes no outputs.
      const own = facts.duplicates === 'skip' ? {} : { wouldWrite, ...wouldKeep };
      return { ...picture, state: 'duplicate', would: 'duplicate', duplicateOf: original, ...own };
    }
    return { ...picture, state: 'completed', would: decision.action, wouldWrite, ...wouldKeep };
  } catch (thrown) {
    return { ...base, state: 'failed', error: failureOf(asImgtoolError(thrown)) };
  }
}
