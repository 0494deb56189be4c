import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { countsOf, openPlace, type Place, SMALL } from './imgtool.ts';
import { isForOthers } from './nobody.ts';
import { picture, putOld } from './pictures.ts';

let place: Place;
beforeEach(async () => {
  place = openPlace();
  putOld(place.at('photos/a.jpg'), await picture());
});

const BATCH = ['process', '--json', ...SMALL];

describe.skipIf(!isForOthers || process.getuid?.() !== 0)('a user without HOME and without a name', () => {
  const UNKNOWN = ['setpriv', '--reuid=54321', '--regid=54321', '--clear-groups'];
  const WITHOUT = ['env', '-u', 'HOME', '-u', 'XDG_STATE_HOME', '-u', 'XDG_CONFIG_HOME'];
  const before = [...UNKNOWN, ...WITHOUT];
  beforeEach(() => {
    execFileSync('chown', ['-hR', '54321:54321', dirname(place.cwd)]);
  });

  it.each([[['--no-config']], [[]]])('can process images with --index and %j', async (more) => {
    const outcome = await place.run([...BATCH, '--index', 'my.db', '--out', 'out', ...more, 'photos'], {
      before,
    });
    expect([outcome.code, outcome.stderr, countsOf(outcome)]).toEqual([0, '', { completed: 1 }]);
    const list = await place.run(['list', '--index', 'my.db', '--json'], { before });
    expect([list.code, JSON.parse(list.stdout).batches.length]).toEqual([0, 1]);
  });

  it('is asked for a place of the index', async () => {
    const { code, stderr } = await place.run([...BATCH, '--out', 'out', 'photos'], { before });
    expect([code, stderr]).toEqual([
      2,
      'error: the index has no place, because this user has no home folder\n' +
        'fix: name a file with --index, or set HOME\n',
    ]);
    expect(place.files('.')).toEqual(['photos/a.jpg']);
  });

  it('gets an error for a path that begins with ~', async () => {
    const { code, stderr } = await place.run(['list', '--index', '~/my.db'], { before });
    expect([code, stderr]).toEqual([
      2,
      'error: ~/my.db: this user has no home folder\nfix: write the whole path, or set HOME\n',
    ]);
  });
});

it.runIf(process.platform === 'linux' && process.getuid?.() === 0)(
  'an output folder on a file system without files is refused once, with exit code 3',
  async () => {
    const place = openPlace();
    for (const seed of [1, 2]) putOld(place.at(`photos/${seed}.jpg`), await picture({ seed }));
    for (const more of [[], ['--dry-run']]) {
      const args = ['process', ...SMALL, '--out', '/proc/nope', ...more, 'photos'];
      const { code, stdout, stderr } = await place.run(args);
      const error = 'error: /proc/nope: no files can be kept there (proc)\nfix: choose another --out\n';
      expect([code, stdout, stderr]).toEqual([3, '', error]);
    }
  },
);

describe('a working folder that was deleted', () => {
  /** A shell that starts the binary from a folder that it has deleted. */
  const run = (args: readonly string[]) => {
    const before = ['sh', '-c', 'mkdir gone && cd gone && rmdir ../gone && exec "$@"', 'sh'];
    return place.run(args, { before });
  };

  it('does not matter where all paths are absolute', async () => {
    const batch = await run([...BATCH, '--out', place.at('out'), place.at('photos')]);
    expect([batch.code, batch.stderr, countsOf(batch)]).toEqual([0, '', { completed: 1 }]);
    expect(place.files('out')).toEqual(['a_a.webp', 'a_b.webp']);
    const list = await run(['list', '--json']);
    expect([list.code, JSON.parse(list.stdout).batches.length]).toEqual([0, 1]);
  });

  it.each(['--out', '--index'])(
    'is named by the error about a relative %s, and is not made again',
    async (option) => {
      const paths = { '--out': place.at('out'), '--index': place.at('index.db'), [option]: 'here' };
      const { code, stderr } = await run([...BATCH, ...Object.entries(paths).flat(), place.at('photos')]);
      expect([code, stderr]).toEqual([
        2,
        `error: here: the working folder of this path was deleted (${place.at('gone')})\n` +
          'fix: go to a folder that exists, or write absolute paths, also in --out and --index\n',
      ]);
      expect(place.files('.')).toEqual(['photos/a.jpg']);
      expect(existsSync(place.at('gone'))).toBe(false);
    },
  );

  it('has no inputs with relative paths', async () => {
    const { code, stderr } = await run([...BATCH, '--out', place.at('out'), 'photos']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('error: photos: is not there')]);
  });
});
