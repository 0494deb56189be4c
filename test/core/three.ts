import { existsSync, rmSync } from 'node:fs';
import { expect } from 'vitest';
import { openSqliteIndex } from '../../src/adapters/sqlite-index/index.ts';
import { exitOfBatch, exitOfError } from '../../src/cli/exit-codes.ts';
import { takeIn } from '../../src/core/batch/intake.ts';
import type { Ports } from '../../src/core/batch/mode.ts';
import { foldName } from '../../src/core/batch/names.ts';
import { runBatch } from '../../src/core/batch/run.ts';
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

/** Syncing is most of the time such a batch takes, and in memory there is nothing to wait for. */
if (existsSync('/dev/shm')) process.env.TMPDIR = '/dev/shm';

/** A batch of three pictures in which something fails: one is as another, and one has changed since it was rendered. */
export interface Three {
  readonly shop: Workshop;
  readonly sources: Sources;
}

/** How it ended: with its last event, or thrown out of it. */
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
 * Runs a batch with its first call failing, then another with its second, and so on until one has no further call.
 * Each must end in order and be carried on by the next.
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

/** What the command would exit with. */
function exitOf({ finished, thrown }: End): number {
  if (thrown !== undefined) return exitOfError(thrown.code);
  return finished === undefined ? 0 : exitOfBatch(finished, undefined);
}

async function check(three: Three, end: End, failed: readonly string[]): Promise<void> {
  const { shop } = three;
  try {
    assertSound(three, end, failed);
  } finally {
    // As the process does when it ends; the next one opens it anew.
    await shop.index.close();
  }
  const index = await openSqliteIndex(shop.at('state/index.db'), foldName);
  try {
    await assertCarriedOn(three, index);
  } finally {
    await index.close();
  }
}

/** Tries again as a batch does, only at once. */
const HASTY: RetryPolicy = {
  after: async (...given) => {
    const delay = await BATCH_RETRIES.after(...given);
    return typeof delay === 'number' ? 1 : delay;
  },
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

/** What must hold at once, while the index still says what the run left in it. */
function assertSound({ shop }: Three, { events, finished, thrown }: End, failed: readonly string[]): void {
  const isOrderly = thrown === undefined;
  for (const name of shop.outputs()) {
    if (name.startsWith('.imgtool-')) {
      // A run that died of it leaves them to the next; one that ended in order has tried again and told.
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
    expect(row?.state, `${event.source} is recorded as told`).toBe(event.state);
    if (event.state === 'completed')
      expect(shop.outputs()).toEqual(expect.arrayContaining(outputsOf(event.source)));
  }
  if (!isOrderly) return;
  const told = finishedOf(events);
  // An index that fails cannot be told; whoever comes next finds the run dead, and the batch interrupted.
  const isUntold = told.state === 'interrupted' && batch?.state === 'running';
  const isDone = failed.includes('index.end');
  if (!isUntold && !isDone) {
    expect(JSON.stringify([batch?.state, batch?.counts]), 'the batch is recorded as told').toBe(
      JSON.stringify([told.state, told.counts]),
    );
  }
  expect(told).toBe(finished);
  const isDiscard = failed.every((name) => name.endsWith('.discard') || name === 'rm');
  if (isDiscard)
    expect([told.state, told.counts.failed], 'what is left staged costs no job').toEqual(['finished', 0]);
}

/** A staged file that could not be removed: the user was told, and does it. */
function assertLeft(shop: Workshop, name: string, events: readonly Event[]): void {
  const path = shop.at(`out/${name}`);
  const told = events.filter((event) => event.type === 'warning' && event.message.includes(path));
  expect(told, `${name} is left, and told`).toHaveLength(1);
  rmSync(path);
}

/** The same batch again, when all works: everything is there, and all invariants hold. */
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
      // What is under a name was made from the bytes that are recorded with it.
      decode: async (path, { digest }) =>
        expect(shop.text(path.slice(shop.at('').length))).toBe(pictureOf(digest ?? '')) ?? true,
    },
  );
}

function outputsOf(source: string): string[] {
  return OUTPUTS.filter((name) => source.endsWith(`/${name.split('_')[0]}.jpg`));
}
