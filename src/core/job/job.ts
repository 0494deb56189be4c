import { ImgtoolError, outputIsSource } from '../../errors.ts';
import type { JobEvent, Order, Rendered, SourceRecord, Unstamped } from '../../model.ts';
import type { Opened, Settlement, Staged } from '../../ports.ts';
import { namesOf, pathAsGiven } from '../batch/names.ts';
import { commit, Overtaken } from './commit.ts';
import type { Begun, JobContext, JobWork, Requeued } from './context.ts';
import {
  type Decision,
  decide,
  type Facts,
  isAllLeft,
  mayLink,
  replacedUnread,
  type Step,
  sameFile,
  trustedDigest,
} from './decide.ts';
import { described, editWarnings, jobEvent, scaledDown, wasReplaced } from './events.ts';
import { factsOfJob, withChecksums, withDigest } from './facts.ts';
import { changedMeanwhile, openWithinBudget, refusedNow } from './open-source.ts';
import { removeSuperseded, reportRemoved } from './superseded.ts';

/**
 * Processes ONE image, from source to outputs. Either settles the job in the index, or returns a job that must begin
 * again and has nothing open or staged. Calls `rendered` when only making the outputs visible is left: another image may
 * begin then. After an error nothing staged is left, and the index still says `processing`.
 */
export async function runJob(context: JobContext, begun: Begun, rendered: () => void) {
  const { job, learnt, isReported, looks } = begun;
  const started = performance.now();
  const { index, run } = context;
  const staged: Staged[] = [];
  let opened: Opened | undefined;
  const letGo = () => {
    opened?.close();
    opened = undefined;
    rendered();
  };
  const again = (type: Requeued['type'], source: SourceRecord): Requeued => {
    const left = type === 'again' ? looks - 1 : looks;
    return { type, begun: { job, learnt: source, isReported: true, looks: left } };
  };
  try {
    const lookNow = () => look(context, job.source, namesOf(job, context.options), learnt);
    let seen = await lookNow();
    if (seen.source !== undefined && isFirstCopy(seen)) {
      if (!(await index.claim(run, job, seen.source.digest))) return again('waiting', seen.source);
      // Another job may have made the copy before the claim.
      seen = await lookNow();
    }
    const { action } = seen.decision;
    if (action === 'read' || action === 'render') {
      const known = seen.source;
      if (known !== undefined && !(await index.claim(run, job, known.digest))) return again('waiting', known);
      const seenAt = Date.now();
      // Most jobs that waited need no rendering. Only those that do report their start again.
      if (isReported) context.emit({ type: 'job.started', job: job.id, source: job.given });
      const bounds = context.sources.boundsOf(job.source);
      opened = await openWithinBudget(context, { path: job.source, bounds, given: job.given }, seen.size);
      const source = learn(job.source, opened, seen.facts.recorded, seenAt);
      if (!(await index.claim(run, job, opened.digest))) return again('waiting', source);
      const names = seen.facts.wanted.map(({ path }) => path);
      seen = await judge(context, await factsOfJob(context, job.source, source, names), source);
    }
    const { facts, decision, source } = seen;
    if (decision.action === 'refuse') throw refusal(decision);
    if (decision.action === 'read' || source === undefined)
      throw new Error('a job was decided before it was read');
    try {
      const isNew = facts.recorded === undefined;
      const work = { ...context, job, source, isNew, opened, staged, started, letGo };
      return await carryOut(work, facts, decision);
    } catch (error) {
      if (!(error instanceof Overtaken) || looks === 0) throw error;
      return again('again', source);
    }
  } finally {
    opened?.close();
    await discard(context, staged);
  }
}

/** A staged file that cannot be removed does not change the result of the job. */
async function discard({ leftBehind }: JobContext, staged: Staged[]): Promise<void> {
  for (const one of staged.splice(0)) await one.discard().catch(() => leftBehind.push(one));
}

/** The facts about a job, and the decision. */
interface Seen {
  readonly facts: Facts;
  readonly decision: Decision;
  /** Size of the source in bytes at the last stat. */
  readonly size: number;
  /** Undefined while its bytes are neither read nor proven by a record. */
  readonly source: SourceRecord | undefined;
}

/** Step 1: stat the source and look it up. `names` are undefined when other sources own all names it could have. */
export async function look(
  context: JobContext,
  path: string,
  names?: readonly string[],
  learnt?: SourceRecord,
): Promise<Seen> {
  const seenAt = Date.now();
  const found = await context.sources.stat(path);
  if (names === undefined) {
    throw new ImgtoolError('output_exists', 'every name its outputs could have belongs to another source', {
      fix: 'choose another {{name}} or {{out}}',
    });
  }
  const facts = await factsOfJob(context, path, found, names);
  for (const known of [learnt, facts.recorded]) {
    if (known === undefined || trustedDigest(found, known) === undefined) continue;
    const refused = refusedNow(known, context.options.limits);
    if (refused !== undefined) throw refused;
    return judge(context, facts, { ...known, ctime: found.ctime ?? known.ctime, seenAt });
  }
  return { facts, decision: decide(facts), size: found.size, source: undefined };
}

/** Step 3: asks the index which sources have these bytes. */
export async function judge(context: JobContext, stat: Facts, source: SourceRecord): Promise<Seen> {
  const facts = await withDigest(context, stat, source);
  const decision = decide(facts);
  const unread = replacedUnread(decision);
  if (unread.length === 0) return { facts, decision, size: source.size, source };
  const known = await withChecksums(context, facts, unread);
  return { facts: known, decision: decide(known), size: source.size, source };
}

/** Whether the job makes a copy that other outputs in its folder can be links to. Only one job may make that. */
function isFirstCopy({ decision, facts }: Seen): boolean {
  const steps = 'steps' in decision ? decision.steps : [];
  return mayLink(facts) && steps.some((step) => step.kind === 'place' && step.how === 'copy');
}

type Doable = Exclude<Decision, { action: 'read' | 'refuse' }>;

/** Steps 4 and 5: render missing outputs, make them visible, and record them. */
async function carryOut(work: JobWork, facts: Facts, decision: Doable): Promise<Unstamped<JobEvent>> {
  const { job, source, opened, staged, started, options } = work;
  const planned: readonly Step[] =
    decision.action === 'unchanged' || decision.action === 'retime'
      ? facts.wanted.map((wanted) => ({ kind: 'keep', wanted }))
      : decision.steps;
  const pictures = await render(work, planned);
  work.letGo();
  await assertUnchanged(work, source);
  const committing = performance.now();
  const done = await commit(work, planned, pictures);
  const { steps, made, skipped, outputs, actions, replaced, edited } = done;
  // In a repair, the result of the check names them.
  if (work.repairs === null) for (const warning of editWarnings(edited, steps, options)) work.emit(warning);
  const lost = replaced.map((path) => pathAsGiven(path, options));
  if (lost.length > 0) work.emit(wasReplaced(lost));
  const { removed, stay, givenUp, given, error } = await removeSuperseded(work, steps);
  if (error !== undefined) {
    reportRemoved(work, job.given, removed);
    throw error;
  }
  const alike = await recordedAlike(work, steps);
  const dominantColor = source.dominantColor ?? pictures?.dominantColor ?? alike?.dominantColor ?? null;
  const degraded = [source, pictures, alike].some((one) => one?.degraded === true);
  const now = performance.now();
  const settlement: Settlement = {
    state: isAllLeft(steps) ? 'unchanged' : stateOf(decision),
    source: { ...source, dominantColor, degraded },
    made: [...made, ...given],
    ...{ skipped, givenUp },
    outputs: outputs.map((output, i) => {
      const { kind, wanted } = steps[i]!;
      const shown = described(output, wanted.variant, source);
      return kind === 'leave' ? { ...shown, edited: true } : shown;
    }),
    bytes: source.size,
    reused: decision.action === 'reuse' && !isAllLeft(steps),
    ms: {
      digest: Math.round(opened?.ms ?? 0),
      decode: Math.round(pictures?.ms.decode ?? 0),
      encode: Math.round(pictures?.ms.encode ?? 0),
      commit: Math.round(now - committing),
      total: Math.round(now - started),
    },
    ...(decision.action === 'duplicate' ? { duplicateOf: decision.of } : {}),
  };
  // Discard unneeded staged files now: after the job has ended nothing would find them.
  await discard(work, staged);
  await work.index.settle(work.run, job, settlement);
  reportRemoved(work, job.given, removed);
  for (const warning of stay) work.emit(warning);
  return jobEvent(job, settlement, work, actions);
}

function stateOf({ action }: Doable): Settlement['state'] {
  if (action === 'retime') return 'unchanged';
  return action === 'render' || action === 'reuse' ? 'completed' : action;
}

/** Errors: `source_changed` when the source was written while the job ran: its outputs are of the former bytes. */
async function assertUnchanged({ sources }: JobContext, source: SourceRecord): Promise<void> {
  if (!sameFile(await sources.stat(source.path), source)) throw changedMeanwhile('while it was processed');
}

async function render(work: JobWork, steps: readonly Step[]): Promise<Rendered | undefined> {
  const { storage, emit, job, source, opened, staged, options } = work;
  const orders: Order[] = [];
  for (const { kind, wanted } of steps) {
    if (kind !== 'render') continue;
    const one = await storage.stage(wanted.path);
    staged.push(one);
    orders.push({ variant: wanted.variant, path: one.path });
  }
  if (orders.length === 0) return undefined;
  if (opened === undefined) throw new Error('a job was to be rendered without its bytes');
  const about = { job: job.id, source: job.given, bytes: source.size, total: orders.length };
  const rendered = await opened.render(orders, (made) => emit({ type: 'job.progress', ...about, ...made }));
  for (const [i, { variant }] of orders.entries()) {
    const warning = scaledDown(job, variant, rendered.outputs[i]!);
    if (warning !== undefined) emit(warning);
  }
  if (rendered.degraded && !options.limits.lenient) {
    const message = `${job.given}: has damaged parts inside`;
    emit({ type: 'warning', message, fix: 'look at its outputs, or copy the file again' });
  }
  return rendered;
}

/** The new record of a source. `seenAt` must be from before the read: then every later write has a later mtime. */
export function learn(path: string, opened: Opened, recorded: SourceRecord | undefined, seenAt: number) {
  const { facts, digest, format, width, height, pages } = opened;
  const known = recorded?.digest === digest ? recorded : { dominantColor: null, degraded: false };
  const { dominantColor, degraded } = known;
  return { ...facts, path, digest, format, width, height, pages, dominantColor, degraded, seenAt };
}

export function refusal({ code, path }: Extract<Decision, { action: 'refuse' }>): ImgtoolError {
  if (code === 'output_is_source') return outputIsSource(path);
  return new ImgtoolError(code, `its output ${path} is taken: by a folder, a link or another source`, {
    fix: 'move it away, or choose another {{out}} or {{name}}',
  });
}

/** The record of another source that has these bytes and whose outputs are used. */
async function recordedAlike({ index, source }: JobWork, steps: readonly Step[]) {
  const owner = steps.map((step) => ('from' in step ? step.from.source : undefined)).find(Boolean);
  if (owner === undefined) return undefined;
  const record = (await index.lookup([owner], [])).source(owner);
  return record?.digest === source.digest ? record : undefined;
}
