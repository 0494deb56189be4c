import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as passes } from 'node:timers/promises';
import { expect } from 'vitest';
import type { BatchState, JobEvent } from '../../src/model.ts';
import { finishedOf, jobsOf, type Outcome, type Place, type Session, SMALL } from './imgtool.ts';
import { assertInvariants, sourcesOf } from './invariants.ts';
import { picture } from './pictures.ts';
import { readIndex } from './recorded.ts';

/** A watch on the real binary. */

/** Files rest briefly and walks are frequent: what a watch is ever to see it has seen after two walks. */
const QUICK = ['--settle', '250', '--scan-interval', '0.4'];
/** No walk comes by itself: what is seen was told by the system, or a walk was asked for. */
export const ALONE = ['--settle', '250', '--scan-interval', '1h'];

/** A watch of `photos` into `out`, as JSON lines, with two small variants unless others are given. */
export function startWatch(place: Place, ...args: string[]): Session {
  return place.start(argsOf(args));
}

export function argsOf(args: readonly string[]): string[] {
  const pace = args.includes('--scan-interval') ? [] : QUICK;
  const out = args.includes('--out') ? [] : ['--out', 'out'];
  const format = args.includes('--no-json') ? [] : ['--json'];
  return ['watch', ...format, ...SMALL, ...pace, ...out, ...args, 'photos'];
}

/** Puts pictures that differ; their paths. */
export async function putMany(place: Place, folder: string, count: number, seed = 1): Promise<string[]> {
  const names = Array.from({ length: count }, (_, i) => join(folder, `${i}.jpg`));
  for (const [i, name] of names.entries()) place.put(name, await picture({ seed: seed + i }));
  return names;
}

/** Asks a watch to stop, as Ctrl-C does. */
export function stop(session: Session, signal: NodeJS.Signals = 'SIGINT'): Promise<Outcome> {
  session.signal(signal, 'group');
  return session.ended;
}

/**
 * Source and state of each job told, sorted. A file whose writer was held up for longer than the settle time is looked
 * at again when it has its last bytes: that it is unchanged then is left out.
 */
export function statesOf(told: Pick<Outcome, 'stdout'>): string[] {
  const jobs = jobsOf(told);
  const done = new Set<string>();
  const first = jobs.filter(({ source, state }) => {
    const isAgain = done.has(source) && state === 'unchanged';
    done.add(source);
    return !isAgain;
  });
  return first.map(({ source, state }) => `${source} ${state}`).sort();
}

export const completed = (sources: readonly string[]) =>
  sources.map((source) => `${source} completed`).sort();

interface Ended {
  readonly state?: BatchState;
  readonly outs?: readonly string[];
  readonly foreign?: readonly string[];
  readonly gone?: readonly string[];
}

/** That a watch which was stopped told so in all its ways, and that all invariants hold. */
export async function assertStopped(place: Place, outcome: Outcome, expected: Ended = {}): Promise<void> {
  const { state = 'finished', ...rest } = expected;
  expect([outcome.code, outcome.signal], outcome.stderr).toEqual([null, 'SIGINT']);
  expect(outcome.stderr).not.toMatch(/\n\s+at |internal/);
  const finished = finishedOf(outcome);
  expect([finished.state, finished.exit]).toEqual([state, 130]);
  const recorded = readIndex(place.index).batches.find(({ id }) => id === finished.batch);
  expect(recorded).toMatchObject({ state, counts: finished.counts });
  await assertInvariants(place, { sources: sourcesOf(place, 'photos'), ...rest });
}

/** The last that was told of each source. */
export function lastOf(told: Pick<Outcome, 'stdout'>): Map<string, JobEvent> {
  return new Map(jobsOf(told).map((job) => [job.source, job]));
}

/** Writes on and on, a piece at a time, until `enough`. */
export async function keepWriting(path: string, enough: Promise<unknown>): Promise<void> {
  let isEnough = false;
  const done = enough.finally(() => {
    isEnough = true;
  });
  while (!isEnough) {
    appendFileSync(path, 'x');
    await Promise.race([done, passes(40)]);
  }
}
