import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { eventsOf, openPlace, type Place } from './imgtool.ts';
import { assertInvariants, sourcesOf } from './invariants.ts';
import { picture } from './pictures.ts';
import { argsOf, assertStopped, completed, statesOf, stop } from './watching.ts';

let place: Place;
beforeEach(() => {
  place = openPlace();
});

/** Runs in a user namespace with its own limits, which affects nothing else on the machine. */
const limited = (setting: string, most: number) => [
  'unshare',
  '-Ur',
  'sh',
  '-c',
  `echo ${most} > /proc/sys/user/${setting} && exec "$@"`,
  'sh',
];

const isLimitable = (() => {
  try {
    const [command = '', ...args] = limited('max_inotify_watches', 3);
    return execFileSync(command, [...args, 'cat', '/proc/sys/user/max_inotify_watches']).toString() === '3\n';
  } catch {
    return false;
  }
})();

describe.skipIf(!isLimitable)('if the system allows too few watches (needs user namespaces)', () => {
  it.each([
    ['max_inotify_watches', 3, 'fs.inotify.max_user_watches'],
    ['max_inotify_instances', 0, 'fs.inotify.max_user_instances'],
  ])(
    '%s of %i: one warning names the limit and the command, and scans find everything',
    async (setting, most, name) => {
      for (let i = 0; i < 6; i++) place.put(`photos/${i}/0.jpg`, await picture({ seed: i }));
      const session = place.start(argsOf([]), { before: limited(setting, most) });
      await session.jobs(6);
      expect(await session.event('watching')).toMatchObject({ folders: 7, by: 'polling' });
      for (let i = 0; i < 6; i++) place.put(`photos/${i}/1.jpg`, await picture({ seed: 10 + i }));
      for (let i = 0; i < 6; i++) place.put(`photos/new/${i}/2.jpg`, await picture({ seed: 20 + i }));
      await session.jobs(18);
      await session.scans(3);
      const outcome = await stop(session);
      expect(statesOf(outcome)).toEqual(completed(place.files('photos').map((path) => `photos/${path}`)));
      const warnings = eventsOf(outcome).filter((event) => event.type === 'warning');
      expect(warnings).toHaveLength(1);
      expect(warnings[0]?.message).toContain(name);
      expect(warnings[0]?.fix).toMatch(new RegExp(`^sudo sysctl ${name.replaceAll('.', '\\.')}=\\d+$`));
      await assertStopped(place, outcome);
    },
  );
});

describe('a wrong call of `watch` exits with 2 and suggests a fix', () => {
  beforeEach(async () => {
    place.put('photos/a.jpg', await picture());
    mkdirSync(place.at('more'));
  });

  it.each([
    ['an empty path', ['photos', ''], 'an empty path was named', 'name a file or folder'],
    ['no folder', [], 'no folder was named', 'imgtool watch'],
    ['a file', ['photos/a.jpg'], 'photos/a.jpg: is a file', 'name its folder'],
    ['a missing folder', ['photos', 'nowhere'], 'nowhere: is not there', 'check the path'],
    ['a glob', ['photos/*.jpg'], 'photos/*.jpg: is a pattern', 'name its folder'],
    ['--dry-run', ['photos', '--dry-run'], '--dry-run', 'imgtool process --dry-run'],
    [
      '--files-from',
      ['photos', '--files-from', '-'],
      '--files-from',
      '--files-from belongs to imgtool process',
    ],
  ])('%s', async (_title, args, what, fix) => {
    const { code, stdout, stderr } = await place.run(['watch', '--out', 'out', ...args]);
    expect([code, stdout], stderr).toEqual([2, '']);
    expect(stderr).toMatch(/^error: .*\nfix: .*\n$/);
    expect(stderr.split('\n')[0]).toContain(what);
    expect(stderr.split('\n')[1]).toContain(fix);
    expect(place.files('.')).toEqual(['photos/a.jpg']);
  });

  it.each([
    ['--settle', 'soon'],
    ['--settle', '-1'],
    ['--scan-interval', '0'],
    ['--scan-interval', '1y'],
  ])('%s %s', async (flag, value) => {
    const { code, stdout, stderr } = await place.run(['watch', '--out', 'out', `${flag}=${value}`, 'photos']);
    expect([code, stdout], stderr).toEqual([2, '']);
    expect(stderr).toMatch(new RegExp(`^error: ${flag}: expected a time from .*, got "${value}"\n`));
    expect(place.files('.')).toEqual(['photos/a.jpg']);
  });
});

describe('a settings file', () => {
  it('can contain the keys of a watch', async () => {
    place.put('photos/a.jpg', await picture());
    place.put('.imgtoolrc', 'settle: 100\nscanInterval: 1s\nonce: true\nmirror: true\nexisting: true\n');
    const outcome = await place.run(['watch', '--json', '--out', 'out', '--variant', 'a:w=20', 'photos']);
    expect([outcome.code, outcome.stderr]).toEqual([0, '']);
    await assertInvariants(place, { sources: sourcesOf(place, 'photos'), outcome });
  });
});
