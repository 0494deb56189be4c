import { mkdirSync, readFileSync, renameSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import sharp from 'sharp';
import { expect } from 'vitest';
import type { Event } from '../../src/model.ts';
import { makeGate } from './gate.ts';
import { eventsOf, type Outcome, type Place, type Session } from './imgtool.ts';
import { noise, picture } from './pictures.ts';
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
async function putSecret(place: Place): Promise<void> {
  const secret = await sharp({ create: { width: 80, height: 60, channels: 3, background: '#ff00ff' } })
    .jpeg()
    .toBuffer();
  place.put('secret/victim.jpg', secret);
}

/** Puts the link in the place of the file, or of its folder, in one step where the system has one. */
export function swap(place: Place, path: string, target: Attack['target']): void {
  if (target === 'file') {
    symlinkSync(place.at('secret/victim.jpg'), place.at('link'));
    renameSync(place.at('link'), place.at(path));
  } else {
    renameSync(dirname(place.at(path)), place.at('moved'));
    symlinkSync(place.at('secret'), dirname(place.at(path)));
  }
}

/**
 * One swap in a watch, of which the watch makes nothing: the path is passed over, no output shows the outside picture,
 * and the watch goes on with the next picture. `random` places the swap within its moment.
 */
export async function attack(place: Place, { moment, target }: Attack, random: () => number): Promise<void> {
  await putSecret(place);
  mkdirSync(place.at('photos/sub'), { recursive: true });
  const victim = 'photos/sub/victim.jpg';
  const passedOver = target === 'file' ? victim : 'photos/sub';
  const gate = moment === 'before it is opened' ? makeGate(place, { free: 0 }) : undefined;
  const options = { env: gate?.env ?? HASTENED };
  const session = startWatchWith(place, options);
  await session.event('watching');

  const good = await picture({ seed: 1 });
  const damaged = (await noise(120, 90)).subarray(0, 5_000);
  place.put(victim, moment.startsWith('at retry') ? damaged : good);
  if (gate !== undefined) await gate.held(session);
  else if (moment.startsWith('at retry')) await session.events('job.retrying', Number(moment.at(-1)));
  else await settling(session, random);
  swap(place, victim, target);
  gate?.open();

  await session.line(new RegExp(`"type":"passed_over","path":"${passedOver}","reason":"symlink"`));
  place.put('photos/next.jpg', await picture({ seed: 2 }));
  await session.line(/"source":"photos\/next.jpg","state":"completed"/);
  const outcome = await stop(session);
  await assertNothingFromOutside(place, outcome);
  const { jobs } = readIndex(place.index);
  expect(jobs.map(({ given }) => given)).toEqual(['photos/next.jpg']);
}

function startWatchWith(place: Place, options: { readonly env: Readonly<Record<string, string>> }): Session {
  return startWatch({ ...place, start: (args) => place.start(args, options) }, ...ALONE, '--verbose');
}

/** Some turns of the loop: from before the watch has heard of the file to near the end of its settle time. */
async function settling(session: Session, random: () => number): Promise<void> {
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
