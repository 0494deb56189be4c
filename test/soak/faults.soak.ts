import { readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { assertFullAndBack, canMount, needed, onDisk, putFilling } from '../cli/disks.ts';
import { eventsOf, has, type Outcome, openPlace, type Place, SMALL } from '../cli/imgtool.ts';
import { assertInvariants, assertTold, type Sources, sourcesOf } from '../cli/invariants.ts';
import { picture, putOld } from '../cli/pictures.ts';
import { readIndex } from '../cli/recorded.ts';
import { eachSystemCall } from '../core/each-system-call.ts';

vi.mock('node:fs/promises', async (load) =>
  (await import('../core/faulty-system.ts')).failingLater(await load<Record<string, unknown>>()),
);
vi.mock('node:fs', async (load) =>
  (await import('../core/faulty-system.ts')).failingAtOnce(await load<Record<string, unknown>>()),
);

vi.setConfig({ testTimeout: 1_800_000, hookTimeout: 120_000 });

function notRemoved(outcome: Outcome): string[] {
  const warnings = eventsOf(outcome).filter((event) => event.type === 'warning');
  return warnings.flatMap(({ message }) => /^(.*): could not be removed$/.exec(message)?.[1] ?? []);
}

describe('each file system call in turn', () => {
  it.each(['EIO', 'ENOSPC', 'EACCES', 'EROFS', 'EMFILE', 'ENOENT'])(
    'causes no damage if it fails with %s',
    (code) => eachSystemCall([code]),
  );
});

describe.skipIf(!canMount)('a disk that fills at ten moments (needs permission to mount)', () => {
  let bytes: number;
  beforeAll(async () => {
    bytes = await needed();
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])('loses no outputs after %i of 11 parts', async (part) => {
    const place = await putFilling();
    const size = Math.floor((bytes * part) / 11);
    const how = part % 2 === 0 ? 'resume' : 'again';
    const completed = await assertFullAndBack(
      place,
      onDisk(place.at('out'), `${size}`),
      onDisk(place.at('out'), '64m'),
      how,
    );
    console.log(`full at ${size} of ${bytes} bytes, after ${completed} of 8 pictures; then by ${how}`);
  });

  it.each([140, 160, 200, 240, 280, 320, 360, 400, 440, 480])(
    'loses no index records on %i KiB',
    async (size) => {
      const place = await putFilling();
      const folder = dirname(place.index);
      const completed = await assertFullAndBack(place, onDisk(folder, `${size}k`), onDisk(folder, '64m'));
      console.log(`full at ${size} KiB, after ${completed} of 8 pictures`);
    },
  );
});

describe.skipIf(!has('strace'))('under strace', () => {
  const BATCH = ['process', '--json', '--jobs', '2', ...SMALL, '--out', 'out', 'photos'];
  const strace = (log: string, ...args: string[]) => ['strace', '-f', '-qq', '-y', '-o', log, ...args];

  /** One picture that has changed since its rendering, and two with the same bytes. */
  async function putThree(): Promise<{ place: Place; sources: Sources }> {
    const place = openPlace();
    putOld(place.at('photos/old.jpg'), await picture({ seed: 7 }));
    expect((await place.run(BATCH)).code).toBe(0);
    for (const [i, name] of ['a', 'b', 'old'].entries()) {
      putOld(place.at(`photos/${name}.jpg`), await picture({ seed: Math.max(1, i), width: 90 }));
    }
    return { place, sources: sourcesOf(place, 'photos') };
  }

  it.each([
    ['fsync', 'EIO'],
    ['link', 'ENOSPC'],
    ['rename', 'EACCES'],
    ['unlink', 'EROFS'],
    ['mkdir', 'EACCES'],
    ['pwrite64', 'ENOSPC'],
    ['ftruncate', 'EIO'],
  ])('each %s of the binary that fails with %s is repaired by the next run', async (call, code) => {
    const ends: string[] = [];
    for (let n = 1; n <= 60; n++) {
      const { place, sources } = await putThree();
      const log = place.at('trace');
      const inject = ['-e', `trace=${call}`, '-e', `inject=${call}:error=${code}:when=${n}`];
      const outcome = await place.run(BATCH, { before: strace(log, ...inject) });
      if (!readFileSync(log, 'utf8').includes('(INJECTED)')) break;
      expect([0, 1, 3], `${n}: ${outcome.stderr}`).toContain(outcome.code);
      expect(outcome.stdout + outcome.stderr, `${n}`).not.toMatch(/\n\s+at |internal/);
      const again = await place.run(BATCH);
      expect(again.code, `${n}: ${again.stdout}`).toBe(0);
      assertTold(outcome, readIndex(place.index));
      // The report names files that two attempts could not remove. The user removes them.
      for (const path of notRemoved(outcome)) rmSync(path);
      await assertInvariants(place, { sources, outcome: again });
      ends.push(`${outcome.code}`);
    }
    console.log(`${call} ${code}: exits ${ends.join(' ')}`);
    expect(ends.length).toBeGreaterThan(0);
  });

  it('no source of a whole batch is ever opened for writing', async () => {
    const { place, sources } = await putThree();
    const log = place.at('trace');
    const calls =
      'openat,open,creat,truncate,rename,renameat,renameat2,unlink,unlinkat,link,linkat,utimensat,chmod';
    const outcome = await place.run(BATCH, { before: strace(log, '-e', `trace=${calls}`) });
    expect(outcome.code, outcome.stderr).toBe(0);
    const lines = readFileSync(log, 'utf8').split('\n');
    const ofSources = lines.filter((line) => [...sources.keys()].some((path) => line.includes(`"${path}"`)));
    expect(ofSources.length).toBeGreaterThanOrEqual(sources.size);
    expect(ofSources.filter((line) => !/open(at)?\(.*O_RDONLY/.test(line))).toEqual([]);
    await assertInvariants(place, { sources, outcome });
  });
});
