import { beforeEach, describe, expect, it } from 'vitest';
import { countsOf, eventsOf, finishedOf, jobsOf, openPlace, type Place, SMALL } from './imgtool.ts';
import { picture, putOld } from './pictures.ts';

/** What --include and --exclude match, and what is said when they leave nothing or can match nothing. */

const BATCH = ['process', ...SMALL, '--out', 'out'];
const NOTHING_LEFT =
  /^imgtool: warning: no image is left: the globs leave out all 3 files and folders\nimgtool: fix: check --include and --exclude; /m;

let place: Place;
beforeEach(async () => {
  place = openPlace();
  for (const [i, name] of ['a', 'b/c', 'sub/b/d'].entries()) {
    putOld(place.at(`photos/${name}.jpg`), await picture({ seed: i + 1 }));
  }
});

const taken = async (...args: string[]) => {
  const outcome = await place.run([...BATCH, '--json', ...args]);
  expect(outcome.code, outcome.stderr).toBe(0);
  return jobsOf(outcome)
    .map(({ source }) => source)
    .sort();
};

describe('a glob without /', () => {
  it('matches names at any depth, whatever the case of an extension', async () => {
    putOld(place.at('photos/sub/deep/E.PNG'), await picture({ seed: 9, format: 'png' }));
    expect(await taken('--include', '*.png', 'photos')).toEqual(['photos/sub/deep/E.PNG']);
    expect(await taken('--include', '*.PNG', 'photos')).toEqual(['photos/sub/deep/E.PNG']);
    expect(await taken('--exclude', '[cd].JPG', 'photos')).toEqual(['photos/a.jpg', 'photos/sub/deep/E.PNG']);
  });

  it('leaves files out, and a dry run counts them', async () => {
    const args = ['--include', 'd.jpg', '--dry-run', 'photos'];
    const { code, stdout, stderr } = await place.run([...BATCH, ...args]);
    expect([code, stdout]).toEqual([0, 'out/sub/b/d_a.webp\nout/sub/b/d_b.webp\n']);
    expect(stderr).toContain('imgtool: 2 files passed over: 2 excluded\n');
  });
});

describe('a glob that ends with /', () => {
  it('excludes the folders of this name at any depth', async () => {
    expect(await taken('--exclude', 'b/', 'photos')).toEqual(['photos/a.jpg']);
    expect(await taken('--exclude', 'sub/b/', 'photos')).toEqual(['photos/a.jpg', 'photos/b/c.jpg']);
    expect(await taken('--exclude', '/b/', 'photos')).toEqual(['photos/a.jpg', 'photos/sub/b/d.jpg']);
  });

  it('includes all files in the folders of this name', async () => {
    expect(await taken('--include', 'b/', 'photos')).toEqual(['photos/b/c.jpg', 'photos/sub/b/d.jpg']);
  });
});

describe('globs that leave nothing', () => {
  it('are named in a warning with the count, also with --quiet and in a dry run', async () => {
    for (const more of [[], ['--quiet'], ['--dry-run']]) {
      const { code, stderr } = await place.run([...BATCH, ...more, '--exclude', '*.JPG', 'photos']);
      expect([code, stderr]).toEqual([0, expect.stringMatching(NOTHING_LEFT)]);
    }
    const outcome = await place.run([...BATCH, '--include', '*.png', 'photos/**/*.jpg']);
    expect([outcome.code, outcome.stderr]).toEqual([0, expect.stringMatching(NOTHING_LEFT)]);
    expect(outcome.stderr).toMatch(/^imgtool: 3 files passed over: 3 excluded$/m);
  });

  it('are a warning in JSON and in a watch that looks once', async () => {
    for (const command of ['process', 'watch']) {
      const more = command === 'watch' ? ['--once'] : [];
      const args = [command, ...SMALL, '--out', 'out', '--json', '--include', 'none', ...more, 'photos'];
      const outcome = await place.run(args);
      expect(eventsOf(outcome)).toContainEqual(
        expect.objectContaining({
          type: 'warning',
          message: 'no image is left: the globs leave out all 3 files and folders',
        }),
      );
      expect([outcome.code, finishedOf(outcome).passedOverBy]).toEqual([0, { excluded: 3 }]);
    }
  });

  it('are no warning where anything is left', async () => {
    const { stderr } = await place.run([...BATCH, '--exclude', 'a.jpg', 'photos']);
    expect(stderr).not.toContain('warning');
  });
});

describe('a glob that can match nothing', () => {
  it.each(['../photos/*', 'sub/../b', './', '/', '.'])('is refused: %s', async (glob) => {
    const { code, stderr } = await place.run([...BATCH, '--exclude', 'b/', '--exclude', glob, 'photos']);
    const message = `error: --exclude: expected a glob for paths below the folder, got "${glob}"\n`;
    expect([code, stderr]).toEqual([2, `${message}fix: for example *.png, drafts/ or 2024/**\n`]);
  });

  it.each(['photos/b/**', './photos/b/**', 'ABSOLUTE/b/**'])(
    'begins with the named folder, and is a warning: %s',
    async (glob) => {
      const exclude = glob.replace('ABSOLUTE', place.at('photos'));
      const { code, stderr } = await place.run([...BATCH, '--exclude', exclude, 'photos']);
      expect([code, stderr]).toEqual([
        0,
        expect.stringContaining(
          `imgtool: warning: ${exclude}: matches nothing, because globs start below photos\nimgtool: fix: write b/**\n`,
        ),
      ]);
    },
  );
});

describe('a glob that is a named folder', () => {
  it.each([
    ['--exclude', 'photos/', 'do not name photos as an input'],
    ['--exclude', './photos', 'do not name photos as an input'],
    ['--include', 'photos/', 'leave out --include'],
  ])('is a warning that says what to do instead: %s %s', async (flag, glob, fix) => {
    const { code, stderr } = await place.run([...BATCH, flag, glob, 'photos']);
    expect(code).toBe(0);
    expect(stderr).toContain(
      `imgtool: warning: ${glob}: matches nothing, because globs start below photos\nimgtool: fix: ${fix}\n`,
    );
  });
});

describe('a glob that matched nothing', () => {
  const warningOf = (glob: string, what = 'no file or folder') =>
    `imgtool: warning: ${glob}: matches ${what} that was met\nimgtool: fix: `;
  const saidBy = async (...args: string[]) => {
    const { code, stderr } = await place.run([...BATCH, ...args]);
    expect(code, stderr).toBe(0);
    return stderr;
  };

  it('is named in a warning, also with --quiet and in a dry run', async () => {
    for (const more of [[], ['--quiet'], ['--dry-run']]) {
      const globs = ['--exclude', 'drafst/', '--exclude', 'b/', '--exclude', 'B/'];
      const stderr = await saidBy(...more, ...globs, 'photos');
      const fix = 'check --exclude: case counts, and a glob with / starts below the named folder\n';
      expect(stderr).toContain(`${warningOf('drafst/')}${fix}`);
      expect(stderr).toContain(warningOf('B/'));
      expect(stderr).not.toContain(warningOf('b/'));
    }
    const stderr = await saidBy('--include', '*.jpg', '--include', 'a*', '--include', '*.gif', 'photos');
    expect(stderr).toContain(`${warningOf('*.gif', 'no image')}check --include: `);
    expect(stderr.match(/warning: /g)).toHaveLength(1);
  });

  it('is no warning for hidden files and text, or where the glob comes from a settings file', async () => {
    place.put('photos/.git/x', '');
    place.put('photos/notes.txt', '');
    expect(await saidBy('--exclude', '.git', '--exclude', '*.TXT', 'photos')).not.toContain('warning');
    place.put('.imgtoolrc', 'exclude: [drafts/]\n');
    expect(await saidBy('photos')).not.toContain('warning');
  });

  it('is no warning in a watch, which may meet it later', async () => {
    const args = [...BATCH.slice(1), '--exclude', 'drafts/', '--once', 'photos'];
    const watched = await place.run(['watch', ...args]);
    expect([watched.code, watched.stderr]).toEqual([0, expect.not.stringContaining('warning')]);
  });

  it('says of named files that they are always taken', async () => {
    const stderr = await saidBy('--exclude', 'a*', 'photos/a.jpg');
    expect(stderr).toContain(
      `${warningOf('a*')}leave out --exclude, or name the folder: files that you name are always taken\n`,
    );
  });
});

describe('a quoted pattern and globs', () => {
  it('are an error that names both if nothing matches the pattern outside of excluded folders', async () => {
    const { code, stderr } = await place.run([...BATCH, '--exclude', 'b/', 'photos/**/*.gif']);
    const message = 'error: photos/**/*.gif: the pattern matches no picture\n';
    const fix = 'fix: check the pattern, --include and --exclude; nothing was done\n';
    expect([code, stderr]).toEqual([2, message + fix]);
  });
});

describe('globs and files that were named', () => {
  it('are two things: a named file is always taken', async () => {
    expect(await taken('--exclude', '*.jpg', 'photos/a.jpg')).toEqual(['photos/a.jpg']);
    expect(await taken('--include', '*.png', 'photos/a.jpg')).toEqual(['photos/a.jpg']);
  });

  it('hold for the paths of a list, relative and absolute', async () => {
    const list = ['photos/a.jpg', 'photos/b/c.jpg', place.at('photos/sub/b/d.jpg')].join('\n');
    const run = (...args: string[]) =>
      place.run([...BATCH, '--json', '--files-from', '-', ...args], { stdin: list });
    const left = await run('--exclude', 'b/');
    expect([left.code, jobsOf(left).map(({ source }) => source)]).toEqual([0, ['photos/a.jpg']]);
    expect(finishedOf(left).passedOverBy).toEqual({ excluded: 2 });
    expect(countsOf(await run('--exclude', 'sub'))).toEqual({ completed: 1, unchanged: 1 });
    const none = await run('--include', '*.png');
    expect([none.code, countsOf(none), none.stderr]).toEqual([0, {}, expect.stringContaining('all 3 files')]);
  });
});
