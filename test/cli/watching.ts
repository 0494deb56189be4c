import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as passes } from 'node:timers/promises';
import { expect } from 'vitest';
import type { BatchState, JobEvent } from '../../src/model.ts';
import { finishedOf, jobsOf, type Outcome, type Place, type Session, SMALL } from './imgtool.ts';
import { assertInvariants, sourcesOf } from './invariants.ts';
import { picture } from './pictures.ts';
import { readIndex } from './recorded.ts';

/** Runs a watch with the real binary. */

/** A short settle time and frequent scans: after two scans the watch has seen everything that it can see. */
const QUICK = ['--settle', '250', '--scan-interval', '0.4'];
/** No periodic scans: the watch learns of changes from events, or from a scan that the test causes. */
export const ALONE = ['--settle', '250', '--scan-interval', '1h'];

/** Watches `photos` into `out` with JSON lines, and with two small variants by default. */
export function startWatch(place: Place, ...args: string[]): Session {
  return place.start(argsOf(args));
}

export function argsOf(args: readonly string[]): string[] {
  const pace = args.includes('--scan-interval') ? [] : QUICK;
  const out = args.includes('--out') ? [] : ['--out', 'out'];
  const format = args.includes('--no-json') ? [] : ['--json'];
  return ['watch', ...format, ...SMALL, ...pace, ...out, ...args, 'photos'];
}

/** Writes different pictures. Returns their paths. */
export async function putMany(place: Place, folder: string, count: number, seed = 1): Promise<string[]> {
  const names = Array.from({ length: count }, (_, i) => join(folder, `${i}.jpg`));
  for (const [i, name] of names.entries()) place.put(name, await picture({ seed: seed + i }));
  return names;
}

/** Stops a watch as Ctrl-C does. */
export function stop(session: Session, signal: NodeJS.Signals = 'SIGINT'): Promise<Outcome> {
  session.signal(signal, 'group');
  return session.ended;
}

/**
 * Source and state of each reported job, sorted. A slow writer can pause for longer than the settle time. Its file is
 * then checked again after the last bytes, and the additional `unchanged` result is left out.
 */
export function statesOf(outcome: Pick<Outcome, 'stdout'>): string[] {
  const jobs = jobsOf(outcome);
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

/** Checks that a stopped watch reported its stop in all its outputs, and that all invariants hold. */
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

/** The last report for each source. */
export function lastOf(outcome: Pick<Outcome, 'stdout'>): Map<string, JobEvent> {
  return new Map(jobsOf(outcome).map((job) => [job.source, job]));
}

/** Keeps writing, one piece at a time, until `enough`. */
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
