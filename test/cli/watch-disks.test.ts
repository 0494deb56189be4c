import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { countsOf, eventsOf, openPlace, type Place, type Session } from './imgtool.ts';
import { picture, putOld } from './pictures.ts';
import { ALONE, argsOf, assertStopped, completed, putMany, startWatch, statesOf, stop } from './watching.ts';

/** Folders without permission to read, search or write, and disks that come and go. */

let place: Place;
beforeEach(() => {
  place = openPlace();
  mkdirSync(place.at('photos'));
});

/** Actions to undo before the test's folder can be removed, however a test ends. */
const undo: (() => void)[] = [];
afterEach(() => {
  for (const one of undo.splice(0)) one();
});

const isRoot = process.getuid?.() === 0;
/** Root has all permissions, so as root the binary runs as the user nobody. */
const NOBODY = isRoot ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : [];

const isForOthers = succeeds([
  ...NOBODY,
  process.execPath,
  '--check',
  fileURLToPath(new URL('../../bin/imgtool.js', import.meta.url)),
]);

const isMountable = isRoot && succeeds(['unshare', '-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']);

function succeeds([command = '', ...args]: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** A watch by a user who owns everything that is in the test's folder at the moment. */
function startAsNobody(...args: string[]): Session {
  if (isRoot) execFileSync('chown', ['-R', '65534:65534', dirname(place.cwd)]);
  return place.start(argsOf(args), { before: NOBODY });
}

/** A file that the watch cannot read. It belongs to the tester, or lacks permissions if the watch is the same user. */
function shut(path: string): void {
  chmodSync(place.at(path), isRoot ? 0o700 : 0o300);
  undo.push(() => open(path));
}

function open(path: string): void {
  if (existsSync(place.at(path))) chmodSync(place.at(path), 0o755);
}

const put = async (name: string, seed: number) => place.put(name, await picture({ seed }));

describe.skipIf(!isForOthers)('without permission (root needs setpriv and a readable checkout)', () => {
  /** Readable but not searchable: its names are visible, and nothing about the files is. */
  const UNSEARCHABLE = 0o644;

  async function putUnsearchable(folder: string, seed: number): Promise<void> {
    await put(`${folder}/a.jpg`, seed);
    await put(`${folder}/deep/b.jpg`, seed + 1);
    chmodSync(place.at(folder), UNSEARCHABLE);
    undo.push(() => open(folder));
  }

  /** Waits for the failed jobs of these paths, and for as many other jobs. */
  async function assertUnreadable(session: Session, paths: readonly string[], others = 0): Promise<void> {
    const jobs = await session.jobs(paths.length + others);
    const failed = jobs.filter(({ error }) => error?.code === 'source_unreadable');
    expect(failed.map(({ source }) => source).sort()).toEqual([...paths].sort());
  }

  async function assertByEvents(session: Session): Promise<void> {
    const modes = eventsOf(await session.said()).flatMap((event) =>
      event.type === 'watching' ? [event.by] : [],
    );
    expect(new Set(modes)).toEqual(new Set(['events']));
  }

  it('a folder that is readable but not searchable does not end the watch, whether old or new', async () => {
    await putUnsearchable('photos/half', 1);
    await put('photos/good.jpg', 3);
    const session = startAsNobody('--verbose');
    await assertUnreadable(session, ['photos/half/a.jpg', 'photos/half/deep'], 1);
    await putUnsearchable('late', 10);
    renameSync(place.at('late'), place.at('photos/late'));
    undo.push(() => open('photos/late'));
    await assertUnreadable(
      session,
      ['half/a.jpg', 'half/deep', 'late/a.jpg', 'late/deep'].map((path) => `photos/${path}`),
      1,
    );
    await put('photos/other/new.jpg', 20);
    await session.jobs(6);
    await session.scans(3);
    await assertByEvents(session);
    const outcome = await stop(session);
    const failed = outcome.stdout.match(/"source_unreadable"/g);
    expect(failed, 'each is reported once').toHaveLength(4);
    expect(statesOf(outcome).filter((one) => !one.endsWith('failed'))).toEqual(
      completed(['photos/good.jpg', 'photos/other/new.jpg']),
    );
    for (const folder of ['half', 'late']) open(`photos/${folder}`);
    await assertStopped(place, outcome);
  });

  it('a folder is processed at once when it becomes searchable', async () => {
    await putUnsearchable('photos/half', 1);
    const session = startAsNobody(...ALONE, '--verbose');
    await assertUnreadable(session, ['photos/half/a.jpg', 'photos/half/deep']);
    expect(await session.event('watching')).toMatchObject({ by: 'events' });
    open('photos/half');
    await session.jobs(4);
    await put('photos/half/deep/later.jpg', 5);
    await session.jobs(5);
    const outcome = await stop(session);
    // The folder itself stays on record as it was met.
    expect(countsOf(outcome)).toEqual({ completed: 3, failed: 1 });
    await assertStopped(place, outcome);
  });

  it('an unreadable folder does not make the watch poll', async () => {
    await put('photos/good.jpg', 1);
    const session = startAsNobody(...ALONE, '--verbose', '--mirror');
    await session.jobs(1);
    await assertByEvents(session);
    await stop(session);
    mkdirSync(place.at('photos/private'));
    shut('photos/private');
    // Not given to nobody, because the user nobody would own this folder too.
    const again = place.start(argsOf([...ALONE, '--verbose', '--mirror']), { before: NOBODY });
    await assertUnreadable(again, ['photos/private'], 1);
    expect(await again.event('watching')).toMatchObject({ by: 'events' });
    mkdirSync(place.at('hidden'));
    shut('hidden');
    renameSync(place.at('hidden'), place.at('photos/hidden'));
    undo.push(() => open('photos/hidden'));
    await assertUnreadable(again, ['photos/private', 'photos/hidden'], 1);
    await put('photos/sub/new.jpg', 2);
    await again.jobs(4);
    await assertByEvents(again);
    const outcome = await stop(again);
    expect(statesOf(outcome)).toEqual([
      'photos/good.jpg unchanged',
      'photos/hidden failed',
      'photos/private failed',
      'photos/sub/new.jpg completed',
    ]);
    for (const folder of ['hidden', 'private']) open(`photos/${folder}`);
    await assertStopped(place, outcome);
  });

  it('a picture is processed at once when it becomes readable, before its next attempt', async () => {
    putOld(place.at('photos/a.jpg'), await picture());
    chmodSync(place.at('photos/a.jpg'), 0);
    const session = startAsNobody(...ALONE);
    const retrying = await session.event('job.retrying');
    expect(retrying).toMatchObject({ delay: 30_000, error: { code: 'source_unreadable' } });
    chmodSync(place.at('photos/a.jpg'), 0o644);
    expect((await session.jobs(1))[0]).toMatchObject({ source: 'photos/a.jpg', state: 'completed' });
    const outcome = await stop(session);
    expect(countsOf(outcome)).toEqual({ completed: 1 });
    await assertStopped(place, outcome);
  }, 28_000);

  it('outputs that cannot be removed stay with one warning, until the next start', async () => {
    await putMany(place, 'photos/sub', 2);
    const session = startAsNobody('--mirror');
    await session.jobs(2);
    chmodSync(place.at('out/sub'), 0o555);
    undo.push(() => open('out/sub'));
    rmSync(place.at('photos/sub/0.jpg'));
    const [warning] = await session.events('warning', 1);
    expect(warning?.message).toMatch(/^photos\/sub\/0\.jpg: its outputs could not be removed: /);
    expect(warning?.fix).toBeDefined();
    await put('photos/other.jpg', 20);
    await session.jobs(3);
    await session.scans(3);
    const outcome = await stop(session);
    expect(outcome.stdout.match(/"type":"warning"/g)).toHaveLength(1);
    expect(outcome.stdout).not.toContain('"removed"');
    expect(place.files('out')).toHaveLength(6);
    await assertStopped(place, outcome);
    open('out/sub');
    const again = startAsNobody('--mirror');
    expect(await again.event('removed')).toMatchObject({ source: 'photos/sub/0.jpg' });
    expect(place.files('out')).toEqual(['other_a.webp', 'other_b.webp', 'sub/1_a.webp', 'sub/1_b.webp']);
    await again.jobs(2);
    await assertStopped(place, await stop(again), { gone: ['out/sub/0_a.webp', 'out/sub/0_b.webp'] });
  });
});

describe.skipIf(!isMountable)('with --mirror and a disk in the folder (needs root to mount)', () => {
  const DISK = 'photos/disk';

  function mount(): void {
    mkdirSync(place.at(DISK), { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', place.at(DISK)]);
    undo.push(() => void succeeds(['umount', '-l', place.at(DISK)]));
  }

  const umount = () => execFileSync('umount', [place.at(DISK)]);

  it.each([
    ['its folder goes with it', true, []],
    ['its folder goes with it, without word from the system', true, ['--poll']],
    ['its folder goes with it, and no walk comes by itself', true, ALONE],
    ['its folder stays', false, []],
    ['its folder stays, without word from the system', false, ['--poll']],
  ])('no output is removed if %s', async (_title, isFolderGone, args) => {
    mount();
    await putMany(place, `${DISK}/sub`, 3);
    await putMany(place, 'photos/kept', 2, 20);
    const session = startWatch(place, '--mirror', ...args);
    await session.jobs(5);
    // On a mounted disk removal works as elsewhere.
    rmSync(place.at(`${DISK}/sub/0.jpg`));
    expect(await session.event('removed')).toMatchObject({ source: `${DISK}/sub/0.jpg` });
    umount();
    if (isFolderGone) rmdirSync(place.at(DISK));
    if (args !== ALONE) await session.scans(3);
    rmSync(place.at('photos/kept/0.jpg'));
    const removed = await session.events('removed', 2);
    expect(removed[1]).toMatchObject({ source: 'photos/kept/0.jpg' });
    if (args !== ALONE) await session.scans(3);
    const outcome = await stop(session);
    expect(outcome.stdout.match(/"type":"removed"/g)).toHaveLength(2);
    const left = ['disk/sub/1', 'disk/sub/2', 'kept/1'].flatMap((name) => [
      `${name}_a.webp`,
      `${name}_b.webp`,
    ]);
    expect(place.files('out')).toEqual(left);
    const gone = ['disk/sub/0', 'kept/0'].flatMap((name) => [`out/${name}_a.webp`, `out/${name}_b.webp`]);
    await assertStopped(place, outcome, { gone });
  });
});

it('the folder of a removed picture stays if --out is the watched folder itself', async () => {
  const session = startWatch(place, ...ALONE, '--mirror', '--out', 'photos');
  await put('photos/album/a.jpg', 1);
  await put('photos/b.jpg', 2);
  await session.jobs(2);
  rmSync(place.at('photos/album/a.jpg'));
  expect(await session.event('removed')).toMatchObject({ source: 'photos/album/a.jpg' });
  const outcome = await stop(session);
  expect(existsSync(place.at('photos/album'))).toBe(true);
  expect(place.files('photos')).toEqual(['b.jpg', 'b_a.webp', 'b_b.webp']);
  const gone = ['photos/album/a_a.webp', 'photos/album/a_b.webp'];
  await assertStopped(place, outcome, { outs: ['photos'], gone });
});
