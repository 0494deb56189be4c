import { mkdirSync, readFileSync, renameSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import sharp from 'sharp';
import { expect } from 'vitest';
import type { Event } from '../../src/model.ts';
import { sha256 } from '../image/pictures.ts';
import { makeGate } from './gate.ts';
import { until } from './group.ts';
import { eventsOf, jobsOf, type Outcome, type Place, type Session } from './imgtool.ts';
import { commented, noise, picture } from './pictures.ts';
import { readIndex } from './recorded.ts';
import { ALONE, startWatch, stop } from './watching.ts';

/**
 * Acts as an attacker who can write to a watched folder. The attacker replaces a file that imgtool has found, or the
 * file's folder, with a symbolic link to a picture that only imgtool may read.
 */
export interface Attack {
  readonly moment: (typeof MOMENTS)[number];
  readonly target: (typeof TARGETS)[number];
}

export const MOMENTS = [
  'while it settles',
  'before it is opened',
  'at retry 1',
  'at retry 2',
  'at retry 3',
] as const;
export const TARGETS = ['file', 'folder'] as const;
export const ATTACKS: readonly Attack[] = MOMENTS.flatMap((moment) =>
  TARGETS.map((target) => ({ moment, target })),
);

/** The parent's clock runs 200 times as fast: an attempt due in 10 minutes is due in 3 seconds. */
const HASTENED = { NODE_OPTIONS: `--import=${new URL('./hasten.js', import.meta.url).href}` };

/** A picture outside the watched folder, in a colour that no source has. */
export async function putSecret(place: Place): Promise<void> {
  const secret = await sharp({ create: { width: 80, height: 60, channels: 3, background: '#ff00ff' } })
    .jpeg()
    .toBuffer();
  place.put('secret/victim.jpg', secret);
}

let swaps = 0;

/** Replaces the file or its folder with the link, in one step if the system has such a step. */
export function swap(place: Place, path: string, target: Attack['target']): void {
  const spare = place.at(`spare-${swaps++}`);
  if (target === 'file') {
    symlinkSync(place.at('secret/victim.jpg'), spare);
    renameSync(spare, place.at(path));
  } else {
    renameSync(dirname(place.at(path)), spare);
    symlinkSync(place.at('secret'), dirname(place.at(path)));
  }
}

/**
 * Makes this many swaps in one watch. The watch skips each path, no output shows the outside picture, and the watch
 * continues with the next picture. `random` chooses the time of each swap within its moment.
 */
export async function attack(
  place: Place,
  { moment, target }: Attack,
  count: number,
  random: () => number,
): Promise<void> {
  await putSecret(place);
  const folders = Array.from({ length: count }, (_, i) => `photos/${i}`);
  const victims = folders.map((folder) => `${folder}/victim.jpg`);
  for (const folder of folders) mkdirSync(place.at(folder), { recursive: true });
  const isRetried = moment.startsWith('at retry');
  const damaged = (await noise(120, 90)).subarray(0, 5_000);
  const bytes = await Promise.all(
    victims.map(async (_, i) => (isRetried ? commented(damaged, `${i}`) : picture({ seed: i + 1 }))),
  );
  const gate = moment === 'before it is opened' ? makeGate(place, { free: 0 }) : undefined;
  const session = startWatchWith(place, { env: gate?.env ?? HASTENED });
  await session.event('watching');

  for (const [i, victim] of victims.entries()) {
    place.put(victim, bytes[i]!);
    if (moment !== 'while it settles') continue;
    await someTurns(session, random);
    swap(place, victim, target);
  }
  // One open is held, and the others wait behind it. On a slow machine one file settles later than another.
  if (gate !== undefined) {
    await gate.held(session);
    await until('a job for each file', () => readIndex(place.index).jobs.length === count);
  } else if (isRetried) await session.events('job.retrying', count * Number(moment.at(-1)));
  if (moment !== 'while it settles') for (const victim of victims) swap(place, victim, target);
  gate?.open();

  for (const [i, victim] of victims.entries()) {
    const path = target === 'file' ? victim : folders[i];
    await session.line(new RegExp(`"type":"passed_over",.*"path":"${path}","reason":"symlink"`));
    // A job in work at that moment leaves the batch a little later. On a slow machine the last attempt at a damaged
    // file has ended before the swap.
    const hasJob = isRetried || gate !== undefined;
    if (hasJob) await session.line(new RegExp(`"type":"(?:withdrawn|job)",.*"source":"${victim}"`));
  }
  place.put('photos/next.jpg', await picture({ seed: 1_000 }));
  await session.line(/"source":"photos\/next.jpg","state":"completed"/);
  const outcome = await stop(session);
  await assertNothingFromOutside(place, outcome);
  // On a slow machine a file can have completed or failed by its own bytes before the swap.
  const ended = jobsOf(outcome).filter(({ source }) => victims.includes(source));
  const made = ended.filter(({ state }) => state === 'completed');
  for (const { source, digest } of made) expect(digest).toBe(sha256(bytes[victims.indexOf(source)]!));
  if (isRetried || gate !== undefined) expect(made).toEqual([]);
  const givenUp = ended.filter(({ error }) => error?.code === 'corrupt');
  const own = new Set([...made, ...givenUp].map(({ source }) => source));
  const left = readIndex(place.index).jobs.filter(({ given }) => !own.has(given));
  expect(left.map(({ given }) => given)).toEqual(['photos/next.jpg']);
}

function startWatchWith(place: Place, options: { readonly env: Readonly<Record<string, string>> }): Session {
  return startWatch({ ...place, start: (args) => place.start(args, options) }, ...ALONE, '--verbose');
}

/** From just before the watch notices the file until about the end of its settle time. */
async function someTurns(session: Session, random: () => number): Promise<void> {
  const turns = Math.floor(random() * 2_000);
  for (let i = 0; i < turns && session.child.exitCode === null; i++) await turn();
}

/** Checks that no output and no event shows the outside picture, and that only the good files were rendered. */
export async function assertNothingFromOutside(
  place: Place,
  outcome: Pick<Outcome, 'stdout'>,
): Promise<void> {
  for (const name of place.files('out')) {
    const { channels } = await sharp(readFileSync(place.at('out', name))).stats();
    const [red = 0, green = 0, blue = 0] = channels.map(({ mean }) => mean);
    expect(red > 200 && green < 60 && blue > 200, `${name} shows the outside picture`).toBe(false);
  }
  const events: Event[] = eventsOf(outcome);
  const colours = events.flatMap((event) => (event.type === 'job' ? (event.dominantColor ?? []) : []));
  expect(colours.filter((colour) => /^#f[0-9a-f]0[0-9a-f]f[0-9a-f]$/.test(colour))).toEqual([]);
}
