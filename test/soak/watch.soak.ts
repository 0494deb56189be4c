import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { setTimeout as passes } from 'node:timers/promises';
import sharp from 'sharp';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { countsOf, finishedOf, has, jobOf, jobsOf, openPlace, type Place } from '../cli/imgtool.ts';
import { commented, hashOf, noise } from '../cli/pictures.ts';
import { assertStopped, completed, startWatch, statesOf, stop } from '../cli/watching.ts';

vi.setConfig({ testTimeout: 600_000, hookTimeout: 120_000 });

const FIXTURES = new URL('../fixtures/photos/', import.meta.url);
/** The default settings, with more frequent scans. */
const PACE = ['--settle', '500ms', '--scan-interval', '10s'];

/** Photographs with different bytes. */
let photographs: Buffer[];
beforeAll(async () => {
  const names = readdirSync(FIXTURES).filter((name) => name.endsWith('.jpg'));
  const small = await Promise.all(
    names.map((name) =>
      sharp(readFileSync(new URL(name, FIXTURES)))
        .resize(424, 318)
        .jpeg()
        .toBuffer(),
    ),
  );
  photographs = Array.from({ length: 2_000 }, (_, i) => commented(small[i % small.length]!, `photo ${i}`));
});

let place: Place;
beforeEach(() => {
  place = openPlace();
  mkdirSync(place.at('photos'));
});

/** Writes this many photographs. Returns their paths below the watched folder. */
function put(folder: string, count: number): string[] {
  const names = Array.from({ length: count }, (_, i) => `${String(i).padStart(4, '0')}.jpg`);
  for (const [i, name] of names.entries()) place.put(`${folder}/${name}`, photographs[i]!);
  return names.map((name) => `photos/new/${name}`);
}

describe('two thousand photographs that arrive at once', () => {
  const from = () => place.at('camera/new');
  const to = () => place.at('photos/new');
  const ways: Record<string, () => void> = {
    'by cp -r': () => execFileSync('cp', ['-r', from(), to()]),
    'by mv of their folder': () => renameSync(from(), to()),
    'by rsync': () => execFileSync('rsync', ['-a', from(), place.at('photos')]),
    'by unzip': () => {
      execFileSync('zip', ['-qr0', 'new.zip', 'new'], { cwd: place.at('camera') });
      execFileSync('unzip', ['-q', place.at('camera/new.zip'), '-d', place.at('photos')]);
    },
  };

  it.each(Object.entries(ways))('%s are each completed once', async (how, drop) => {
    const command = how.split(' ')[1]!;
    if (!has(command) || (command === 'unzip' && !has('zip'))) throw new Error(`${command} is not installed`);
    const paths = put('camera/new', photographs.length);
    const session = startWatch(place, ...PACE);
    await session.event('watching');
    drop();
    await session.jobs(paths.length);
    await session.scans();
    const outcome = await stop(session);
    expect(statesOf(outcome)).toEqual(completed(paths));
    expect(countsOf(outcome)).toEqual({ completed: paths.length });
    await assertStopped(place, outcome);
  });
});

describe('a writer of 50 ms chunks that stalls for three times the settle time', () => {
  const SOURCE = 'photos/slow.jpg';
  const write = async () => {
    const bytes = await noise(900, 700);
    const chunks = 60;
    const size = Math.ceil(bytes.length / chunks);
    for (let i = 0; i < chunks; i++) {
      appendFileSync(place.at(SOURCE), bytes.subarray(i * size, (i + 1) * size));
      await passes(i % 15 === 14 ? 1_500 : 50);
    }
  };

  it.each(['at the start', 'later'])('gives one result for the final bytes, begun %s', async (when) => {
    let writing: Promise<void> | undefined;
    if (when === 'at the start') {
      writing = write();
      await passes(200);
    }
    const session = startWatch(place, ...PACE);
    await session.event('watching');
    await (writing ?? write());
    const [job] = await session.jobs(1);
    expect(job).toMatchObject({ state: 'completed', digest: hashOf(place.at(SOURCE)) });
    await session.scans();
    const outcome = await stop(session);
    expect(jobsOf(outcome)).toHaveLength(1);
    await assertStopped(place, outcome);
  });
});

describe('ten times in a row', () => {
  it('a folder that is removed and created again in one tick is watched', async () => {
    const session = startWatch(place, ...PACE);
    mkdirSync(place.at('photos/sub'));
    await session.event('watching');
    const paths: string[] = [];
    for (let round = 0; round < 10; round++) {
      rmSync(place.at('photos/sub'), { recursive: true });
      mkdirSync(place.at('photos/sub'));
      paths.push(`photos/sub/${round}.jpg`);
      place.put(paths.at(-1)!, photographs[round]!);
      await session.jobs(round + 1);
    }
    const outcome = await stop(session);
    expect(statesOf(outcome)).toEqual(completed(paths));
  });

  it.each(['removed and created again', 'renamed away and back'])(
    'the watched folder %s is watched again',
    async (how) => {
      const session = startWatch(place, ...PACE);
      await session.event('watching');
      for (let round = 0; round < 10; round++) {
        if (how === 'renamed away and back') {
          renameSync(place.at('photos'), place.at('away'));
          await session.events('warning', 2 * round + 1);
          renameSync(place.at('away'), place.at('photos'));
        } else {
          rmSync(place.at('photos'), { recursive: true });
          mkdirSync(place.at('photos'));
        }
        place.put(`photos/${round}.jpg`, photographs[round]!);
        await session.jobs(round + 1);
      }
      const outcome = await stop(session);
      expect(jobsOf(outcome).filter(({ state }) => state === 'completed')).toHaveLength(10);
    },
  );
});

describe('outputs inside the watched folder', () => {
  const N = 20;
  const ways: Record<string, { out: string; before?: () => void; later?: () => void }> = {
    plainly: { out: 'photos/out' },
    'by a link': {
      out: 'link',
      before: () => {
        mkdirSync(place.at('photos/out'));
        execFileSync('ln', ['-s', 'photos/out', place.at('link')]);
      },
    },
    'made later': { out: 'photos/made/later/out' },
  };

  it.each(Object.entries(ways))(
    '%s: ten quiet seconds later there are as many jobs as pictures',
    async (_, { out, before }) => {
      before?.();
      const paths = put('photos/new', N);
      const session = startWatch(place, ...PACE, '--out', out, '--scan-interval', '3s');
      await session.jobs(N);
      await passes(10_000);
      const outcome = await stop(session);
      expect(statesOf(outcome)).toEqual(completed(paths));
    },
  );
});

describe('a watch that is killed while 200 files arrive', () => {
  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
  const moments = Array.from({ length: 10 }, (_, i) => (seed * (i + 7) * 7_919) % 200);

  /** One after the other, so some arrive before and some after the end of the watch. */
  const land = async (paths: readonly string[]) => {
    for (const [i, path] of paths.entries()) {
      place.put(path, photographs[i]!);
      await passes(20);
    }
  };

  it.each(moments)('omits none and repeats none after a restart (after %i)', async (moment) => {
    console.log(`seed ${seed}, killed after ${moment} results`);
    const paths = photographs
      .slice(0, 200)
      .map((_, i) => `photos/new/${i}.jpg`)
      .sort();
    const first = startWatch(place, ...PACE);
    await first.event('watching');
    const landing = land(paths);
    if (moment > 0) await first.jobs(moment);
    first.signal('SIGKILL', 'group');
    const before = await first.ended;
    await landing;
    const second = startWatch(place, ...PACE);
    await second.event('watching');
    const left = 200 - jobsOf(before).length;
    await second.jobs(200);
    const after = await stop(second);
    const done = [...jobsOf(before), ...jobsOf(after)].filter(({ state }) => state === 'completed');
    expect(done.map(({ source }) => source).sort()).toEqual(paths);
    expect(finishedOf(after).counts.failed).toBe(0);
    expect(left).toBeGreaterThan(0);
    for (const path of paths) expect(jobOf(after, path).state).toMatch(/completed|unchanged/);
    await assertStopped(place, after);
  });
});
