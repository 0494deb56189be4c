import { existsSync, rmSync } from 'node:fs';
import { expect } from 'vitest';
import { openSqliteIndex } from '../../src/adapters/sqlite-index/index.ts';
import { exitOfBatch, exitOfError } from '../../src/cli/exit.ts';
import { takeIn } from '../../src/core/batch/intake.ts';
import { foldName } from '../../src/core/batch/names.ts';
import { runBatch } from '../../src/core/batch/run.ts';
import type { Ports } from '../../src/core/job/context.ts';
import type { RetryPolicy } from '../../src/core/queue/retry-policy.ts';
import { BATCH_RETRIES } from '../../src/core/queue/retry-policy.ts';
import { asImgtoolError, type ImgtoolError } from '../../src/errors.ts';
import type { BatchFinished, Event } from '../../src/model.ts';
import type { Index } from '../../src/ports.ts';
import { assertInvariants, type Sources, sourcesOf } from '../cli/invariants.ts';
import { readIndex } from '../cli/recorded.ts';
import { sha, variant } from '../records.ts';
import { type Fault, setTripwire, type Tripwire } from './faulty.ts';
import { finishedOf, openWorkshop, pictureOf, type Workshop } from './made-up.ts';

// Most of the time of such a batch is syncing, which takes no time in memory.
if (existsSync('/dev/shm')) process.env.TMPDIR = '/dev/shm';

/** A batch of three pictures: two are equal, and one has changed since its last rendering. */
export interface Three {
  readonly shop: Workshop;
  readonly sources: Sources;
}

/** How a batch ended: with `batch.finished`, or with an error. */
export interface End {
  readonly events: readonly Event[];
  readonly finished: BatchFinished | undefined;
  readonly thrown: ImgtoolError | undefined;
}

const OLD = 'old bytes';
const NEW = 'newer bytes';

const OVER = { preset: { name: 'test', variants: [variant(), variant({ name: 'wide', width: 200 })] } };
const OUTPUTS = ['a', 'b', 'c'].flatMap((name) => [`${name}_small.webp`, `${name}_wide.webp`]);

async function prepareThree(shop: Workshop): Promise<Three> {
  shop.change('c.jpg', OLD);
  await shop.run(OVER);
  shop.change('a.jpg', 'the same');
  shop.change('b.jpg', 'the same');
  shop.change('c.jpg', NEW);
  return { shop, sources: sourcesOf(shop, 'photos') };
}

/**
 * Runs one batch for each call: in the first batch the first call fails, in the second batch the second call, and so on.
 * Each batch must end in order, and the next run must complete it.
 */
export async function eachInTurn(
  faultAt: (at: number) => Fault,
  run: (three: Three, wire: Tripwire, id: string) => Promise<End>,
): Promise<void> {
  const wrong: string[] = [];
  for (let at = 1; ; at++) {
    const three = await prepareThree(await openWorkshop(() => {}));
    const wire = setTripwire(faultAt(at));
    const end = await run(three, wire, `f${at.toString(16)}`);
    await check(three, end, wire.failed).catch((error: unknown) => {
      wrong.push(`call ${at}, ${wire.failed[0]}: ${String(error).split('\n').slice(0, 12).join('\n')}`);
    });
    if (wire.failed.length > 0) continue;
    expect([exitOf(end), at > 10], 'nothing failed in the last one').toEqual([0, true]);
    break;
  }
  expect(wrong.join('\n\n')).toBe('');
}

/** The exit code of the command. */
function exitOf({ finished, thrown }: End): number {
  if (thrown !== undefined) return exitOfError(thrown.code);
  return finished === undefined ? 0 : exitOfBatch(finished, undefined);
}

async function check(three: Three, end: End, failed: readonly string[]): Promise<void> {
  const { shop } = three;
  try {
    assertSound(three, end, failed);
  } finally {
    // A process closes the index at its end, and the next process opens it again.
    await shop.index.close();
  }
  const index = await openSqliteIndex(shop.at('state/index.db'), foldName);
  try {
    await assertCarriedOn(three, index);
  } finally {
    await index.close();
  }
}

/** The retry policy of a batch, without its delays. */
const HASTY: RetryPolicy = async (...given) => {
  const delay = await BATCH_RETRIES(...given);
  return typeof delay === 'number' ? 1 : delay;
};

export async function runThree({ shop }: Three, over: Partial<Ports>): Promise<End> {
  const events: Event[] = [];
  const { signal } = new AbortController();
  const mode = { takeIn, retryPolicy: HASTY, isEndless: false };
  try {
    const { ports, work } = await shop.prepare('process', OVER, over);
    const finished = await runBatch(ports, work, (event) => events.push(event), signal, mode);
    return { events, finished, thrown: undefined };
  } catch (error) {
    return { events, finished: undefined, thrown: asImgtoolError(error) };
  }
}

/** Checks the state of files and index right after the run. */
function assertSound({ shop }: Three, { events, finished, thrown }: End, failed: readonly string[]): void {
  const isOrderly = thrown === undefined;
  for (const name of shop.outputs()) {
    if (name.startsWith('.imgtool-')) {
      // A run that died leaves its staged files to the next run. A run that ended in order has reported them.
      if (isOrderly) assertLeft(shop, name, events);
      continue;
    }
    const whole = [OLD, NEW, 'the same'].map((text) => pictureOf(sha(text)));
    expect(whole, `${name} is whole`).toContain(shop.text(`out/${name}`));
  }
  const { jobs, batches } = readIndex(shop.at('state/index.db'));
  const batch = batches.at(-1);
  for (const event of events) {
    if (event.type !== 'job' || event.state === 'unchanged') continue;
    expect(event.error?.code, JSON.stringify(event)).not.toBe('internal');
    const row = jobs.find((job) => job.batch === event.batch && job.given === event.source);
    expect(row?.state, `${event.source} is recorded as reported`).toBe(event.state);
    if (event.state === 'completed')
      expect(shop.outputs()).toEqual(expect.arrayContaining(outputsOf(event.source)));
  }
  if (!isOrderly) return;
  const end = finishedOf(events);
  // A failing index cannot record the end. The next run then finds a dead run and an interrupted batch.
  const isUnrecorded = end.state === 'interrupted' && batch?.state === 'running';
  const isDone = failed.includes('index.end');
  if (!isUnrecorded && !isDone) {
    expect(JSON.stringify([batch?.state, batch?.counts]), 'the batch is recorded as reported').toBe(
      JSON.stringify([end.state, end.counts]),
    );
  }
  expect(end).toBe(finished);
  const isDiscard = failed.every((name) => name.endsWith('.discard') || name === 'rm');
  if (isDiscard)
    expect([end.state, end.counts.failed], 'a staged file that is left makes no job fail').toEqual([
      'finished',
      0,
    ]);
}

/** Checks the warning about a staged file that is left. Removes the file as the user would. */
function assertLeft(shop: Workshop, name: string, events: readonly Event[]): void {
  const path = shop.at(`out/${name}`);
  const warnings = events.filter((event) => event.type === 'warning' && event.message.includes(path));
  expect(warnings, `${name} is left and reported`).toHaveLength(1);
  rmSync(path);
}

/** Runs the same batch again without faults. All outputs must exist, and all invariants must hold. */
async function assertCarriedOn(three: Three, index: Index): Promise<void> {
  const { shop, sources } = three;
  const end = await runThree(three, { index });
  const { events, thrown } = end;
  const exit = exitOf(end);
  expect([thrown, exit], JSON.stringify(events)).toEqual([undefined, 0]);
  const { completed, duplicate, unchanged } = finishedOf(events).counts;
  expect(completed + duplicate + unchanged).toBe(3);
  expect(shop.outputs()).toEqual(OUTPUTS);
  for (const name of OUTPUTS) {
    const bytes = name.startsWith('c') ? NEW : 'the same';
    expect(shop.text(`out/${name}`), name).toBe(pictureOf(sha(bytes)));
  }
  await assertInvariants(
    { at: shop.at, index: shop.at('state/index.db') },
    {
      sources,
      outcome: {
        stdout: events.map((event) => JSON.stringify(event)).join('\n'),
        stderr: '',
        code: exit,
        signal: null,
      },
      // Each output is made from the recorded bytes.
      decode: async (path, { digest }) =>
        expect(shop.text(path.slice(shop.at('').length))).toBe(pictureOf(digest ?? '')) ?? true,
    },
  );
}

function outputsOf(source: string): string[] {
  return OUTPUTS.filter((name) => source.endsWith(`/${name.split('_')[0]}.jpg`));
}
