import fs, { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { FSWatcher } from 'chokidar';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { remoteKind } from '../../../src/adapters/file-systems.ts';
import { type Folders, openFolders } from '../../../src/adapters/local-sources/folders.ts';
import { type Ear, openEar } from '../../contract/sources-place.ts';
import { makePlace } from '../../place.ts';

vi.mock('../../../src/adapters/file-systems.ts', () => ({ remoteKind: vi.fn() }));

let place: string;
let ear: Ear;
let folders: Folders;
beforeEach(() => {
  place = makePlace();
  ear = openEar();
  folders = openFolders(ear.hear, { poll: false, isSource: () => true });
});
afterEach(async () => {
  await folders.close();
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

/** Creates folders and enters them. */
async function enter(...names: string[]): Promise<void> {
  for (const name of names) {
    mkdirSync(join(place, name), { recursive: true });
    await folders.enter(join(place, name));
  }
}

function write(...paths: string[]): void {
  for (const path of paths) writeFileSync(join(place, path), path);
}

const warnings = () => ear.hints.filter(({ type }) => type === 'warning');

/** Makes the system refuse watches, for chokidar too. Returns the folders of the refused calls. */
function refuseWatches(code: string): string[] {
  const tried: string[] = [];
  vi.spyOn(fs, 'watch').mockImplementation((path) => {
    tried.push(String(path));
    throw Object.assign(new Error(`${code}: as asked`), { code });
  });
  syncBuiltinESMExports();
  return tried;
}

function allowWatches(): void {
  vi.mocked(fs.watch).mockRestore();
  syncBuiltinESMExports();
}

/** The number of system watches that this process holds. */
async function systemWatches(): Promise<number> {
  // A watch that is released while it delivers an event disappears only afterwards.
  await turn();
  const infos = readdirSync('/proc/self/fdinfo').flatMap((fd) => {
    try {
      return readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8').split('\n');
    } catch {
      // The descriptor that read this folder is already closed.
      return [];
    }
  });
  return infos.filter((line) => line.startsWith('inotify wd:')).length;
}

describe.runIf(process.platform === 'linux')('the system watches', () => {
  it('include each folder once, whatever its contents, and end after close', async () => {
    mkdirSync(join(place, 'p/sub'), { recursive: true });
    for (let i = 0; i < 100; i++) write(`p/${i}.jpg`, `p/sub/${i}.jpg`);
    const before = await systemWatches();
    await enter('p', 'p/sub');
    expect([(await systemWatches()) - before, folders.size]).toEqual([2, 2]);
    write('p/new.jpg', 'p/sub/new.jpg');
    await ear.changed(join(place, 'p/new.jpg'));
    await ear.changed(join(place, 'p/sub/new.jpg'));
    await enter('p', 'p/sub');
    expect((await systemWatches()) - before).toBe(2);
    await folders.close();
    expect([(await systemWatches()) - before, folders.size]).toEqual([0, 0]);
  });

  it('end for folders that are left or not entered again', async () => {
    const before = await systemWatches();
    await enter('p', 'p/a', 'p/a/b', 'p/a-b', 'p/c');
    expect(folders.leave(join(place, 'p/a'))).toBe(true);
    expect(folders.leave(join(place, 'p/a'))).toBe(false);
    expect([(await systemWatches()) - before, folders.size]).toEqual([3, 3]);
    const round = folders.nextRound();
    await enter('p', 'p/c');
    folders.leaveOlder(join(place, 'p'), round);
    expect([(await systemWatches()) - before, folders.size]).toEqual([2, 2]);
  });

  it('do not exist with polling', async () => {
    await folders.close();
    folders = openFolders(ear.hear, { poll: true, isSource: () => true });
    const before = await systemWatches();
    await enter('p', 'p/sub');
    expect([(await systemWatches()) - before, folders.size, folders.isBlind]).toEqual([0, 2, true]);
  });
});

describe('a folder that is entered', () => {
  it('is not read, neither at that time nor after a change in it', async () => {
    const read = vi.spyOn(FSWatcher.prototype, '_readdirp');
    mkdirSync(join(place, 'p'));
    write('p/a.jpg');
    await enter('p');
    write('p/b.jpg');
    await ear.changed(join(place, 'p/b.jpg'));
    expect(read).not.toHaveBeenCalled();
  });

  it('reports changes from then on', async () => {
    await enter('p');
    write('p/a.jpg');
    await ear.changed(join(place, 'p/a.jpg'));
    expect(folders.isBlind).toBe(false);
  });

  it('is ignored if it does not exist', async () => {
    await folders.enter(join(place, 'none'));
    expect([folders.size, folders.isBlind, ear.hints]).toEqual([0, false, []]);
  });
});

describe('a system that refuses watches', () => {
  it.each([
    ['ENOSPC', 'max_user_watches', 'sudo sysctl fs.inotify.max_user_watches=524288'],
    ['EMFILE', 'max_user_instances', 'sudo sysctl fs.inotify.max_user_instances=1024'],
    ['ENFILE', 'max_user_instances', 'sudo sysctl fs.inotify.max_user_instances=1024'],
  ])(
    'is reported once for all folders after %s, with the limit and how to raise it',
    async (code, name, fix) => {
      await enter('p');
      const tried = refuseWatches(code);
      await enter('p/a', 'p/b', 'p/c');
      const message = expect.stringMatching(`^${join(place, 'p/a')}: .*fs\\.inotify\\.${name} is \\w+`);
      expect(warnings()).toEqual([{ type: 'warning', message, fix }]);
      // Every further attempt in the same round would fail and take time.
      expect(tried).toEqual([join(place, 'p/a')]);
      expect([folders.size, folders.isBlind]).toEqual([4, true]);
      folders.nextRound();
      await enter('p', 'p/a', 'p/b');
      expect(warnings()).toHaveLength(1);
    },
  );

  it('is asked again in each round, until all folders are watched', async () => {
    refuseWatches('ENOSPC');
    await enter('p', 'p/a');
    allowWatches();
    await enter('p', 'p/a');
    expect(folders.isBlind).toBe(true);
    folders.nextRound();
    await enter('p', 'p/a');
    expect([folders.size, folders.isBlind]).toEqual([2, false]);
    write('p/x.jpg', 'p/a/y.jpg');
    await ear.changed(join(place, 'p/x.jpg'));
    await ear.changed(join(place, 'p/a/y.jpg'));
  });

  it('still reports changes in the folders that it already watches', async () => {
    await enter('p');
    refuseWatches('ENOSPC');
    await enter('p/a');
    write('p/x.jpg');
    await ear.changed(join(place, 'p/x.jpg'));
  });

  it('is not reported if a folder is unreadable, and neither is anything else', async () => {
    refuseWatches('EACCES');
    await enter('p');
    expect([ear.hints, folders.isBlind]).toEqual([[], false]);
  });

  it('causes a new scan after any other error', async () => {
    refuseWatches('EIO');
    await enter('p');
    expect([ear.hints, folders.isBlind]).toEqual([[{ type: 'lost' }], true]);
  });
});

describe('a folder on another machine', () => {
  it('is not watched, and one warning covers all such folders', async () => {
    vi.mocked(remoteKind).mockReturnValue('nfs');
    await enter('p', 'p/a');
    expect(ear.hints).toEqual([
      { type: 'warning', message: expect.stringMatching(/^\/.*\/p: is on nfs, which reports no changes/) },
    ]);
    expect([folders.size, folders.isBlind]).toEqual([2, true]);
  });

  it('causes no warning with polling', async () => {
    vi.mocked(remoteKind).mockReturnValue('nfs');
    folders = openFolders(ear.hear, { poll: true, isSource: () => true });
    await enter('p');
    expect([ear.hints, folders.isBlind]).toEqual([[], true]);
  });
});
