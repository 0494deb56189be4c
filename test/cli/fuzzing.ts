import { copyFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { isErrorCode } from '../../src/errors.ts';
import { damaged } from './damaged.ts';
import type { Sample } from './every-kind.ts';
import { eventsOf, jobsOf, openPlace, type Place } from './imgtool.ts';
import { assertInvariants, sourcesOf } from './invariants.ts';

/** Gives thousands of damaged pictures to the real binary. */

/** How many files ended with each state or error code. */
export type Tally = Readonly<Record<string, number>>;

/** Codes that no picture may cause, however damaged it is. */
const NEVER = ['internal', 'timeout'];
/** Codes that need an investigation: the file is kept. */
const STRANGE = [...NEVER, 'worker_crashed', 'out_of_memory'];

export interface Numbered {
  readonly seed: number;
  readonly first: number;
  readonly count: number;
}

/** Runs one batch over this many damaged pictures, from the n-th of a seed on. Returns how they ended. */
export async function processDamaged(
  groups: readonly (readonly Sample[])[],
  { seed, first, count }: Numbered,
  ...args: string[]
): Promise<Tally> {
  const place = openPlace();
  const names: string[] = [];
  for (let n = first; n < first + count; n++) {
    const { name, bytes } = damaged(groups, seed, n);
    place.put(`photos/${name}`, bytes);
    names.push(`photos/${name}`);
  }
  const sources = sourcesOf(place, 'photos');
  const session = place.start([
    ...['process', '--json', '--all-files', '--allow-svg', '--timeout', '20s', '--out', 'out'],
    ...['--variant', 'a:w=40', '--variant', 'b:w=20,format=jpeg', ...args, 'photos'],
  ]);
  const outcome = await session.ended;
  expect([0, 1], `exit ${outcome.signal ?? outcome.code}: ${outcome.stderr.slice(-2000)}`).toContain(
    outcome.code,
  );
  expect(() => process.kill(-session.pid, 0), 'no process is left').toThrow('ESRCH');

  const jobs = jobsOf(outcome);
  const ends = jobs.map(({ source, state, error }) => ({ source, how: error?.code ?? state }));
  keep(place, seed, [...ends, ...retried(outcome)]);
  expect(ends.map(({ source }) => source).sort(), 'each has one end').toEqual(names.sort());
  for (const { source, how } of ends) {
    expect(how === 'completed' || how === 'duplicate' || isErrorCode(how), `${source}: ${how}`).toBe(true);
    expect(NEVER, `${source} of seed ${seed}`).not.toContain(how);
  }
  await assertInvariants(place, { sources, outcome });
  return tally(ends.map(({ how }) => how));
}

/** A picture that was tried again can have ended well. */
function retried(outcome: { stdout: string }): { source: string; how: string }[] {
  return eventsOf(outcome)
    .filter((event) => event.type === 'job.retrying')
    .map(({ source, error }) => ({ source, how: error.code }));
}

/** Keeps copies of the files that ended in an unexpected way, and prints their folder. */
function keep(place: Place, seed: number, ends: readonly { source: string; how: string }[]): void {
  const folder = join(tmpdir(), `imgtool-fuzz-${seed}`);
  for (const { source, how } of ends.filter(({ how }) => STRANGE.includes(how))) {
    mkdirSync(folder, { recursive: true });
    const copy = join(folder, source.replace('photos/', ''));
    copyFileSync(place.at(source), copy);
    console.warn(`${how}: seed ${seed}, ${source}, kept as ${copy}`);
  }
}

function tally(words: readonly string[]): Tally {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}
