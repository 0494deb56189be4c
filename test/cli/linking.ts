import { mkdirSync, readFileSync, renameSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import sharp from 'sharp';
import { expect } from 'vitest';
import type { Event } from '../../src/model.ts';
import { sha256 } from '../image/pictures.ts';
import { makeGate } from './gate.ts';
import { eventsOf, jobsOf, type Outcome, type Place, type Session } from './imgtool.ts';
import { commented, noise, picture } from './pictures.ts';
import { readIndex } from './recorded.ts';
import { ALONE, startWatch, stop } from './watching.ts';

/**
 * The attack of somebody who may write into a watched folder: a file that imgtool has found, or the folder that holds
 * the file, is swapped for a symbolic link to a picture that only imgtool may read.
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

/** Time passes 200 times as fast for the parent: an attempt that is due in 10 minutes is due in 3 seconds. */
const HASTENED = { NODE_OPTIONS: `--import=${new URL('./hasten.js', import.meta.url).href}` };

/** A picture outside the watched folder, in a colour that no source has. */
export async function putSecret(place: Place): Promise<void> {
  const secret = await sharp({ create: { width: 80, height: 60, channels: 3, background: '#ff00ff' } })
    .jpeg()
    .toBuffer();
  place.put('secret/victim.jpg', secret);
}

let swaps = 0;

/** Puts the link in the place of the file, or of its folder, in one step where the system has one. */
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
 * So many swaps in one watch, of which the watch makes nothing: each path is passed over, no output shows the outside
 * picture, and the watch goes on with the next picture. `random` places each swap within its moment.
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
  // One is held before it is opened, and the others wait for it.
  if (gate !== undefined) await gate.held(session);
  else if (isRetried) await session.events('job.retrying', count * Number(moment.at(-1)));
  if (moment !== 'while it settles') for (const victim of victims) swap(place, victim, target);
  gate?.open();

  for (const [i, victim] of victims.entries()) {
    const path = target === 'file' ? victim : folders[i];
    await session.line(new RegExp(`"type":"passed_over","path":"${path}","reason":"symlink"`));
    // A job that is in work at that moment leaves the batch a little later; where this machine is slow, the last
    // attempt at a damaged file has ended before the swap.
    const hasJob = isRetried || gate !== undefined;
    if (hasJob) await session.line(new RegExp(`"type":"(?:withdrawn|job)",.*"source":"${victim}"`));
  }
  place.put('photos/next.jpg', await picture({ seed: 1_000 }));
  await session.line(/"source":"photos\/next.jpg","state":"completed"/);
  const outcome = await stop(session);
  await assertNothingFromOutside(place, outcome);
  // Where this machine is slow a file may have been made or given up before it was swapped, by its own bytes.
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

/** From before the watch has heard of the file to about the end of its settle time. */
async function someTurns(session: Session, random: () => number): Promise<void> {
  const turns = Math.floor(random() * 2_000);
  for (let i = 0; i < turns && session.child.exitCode === null; i++) await turn();
}

/** That no output and no event shows the outside picture, nor anything that was taken for a picture but the good ones. */
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
