import { chownSync, existsSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { openPlace, type Place } from './imgtool.ts';
import { picture, putOld } from './pictures.ts';

describe('a command that cannot start', () => {
  let place: Place;
  beforeEach(async () => {
    place = openPlace();
    putOld(place.at('photos/a.jpg'), await picture());
    place.put('list.txt', 'photos/a.jpg\n');
    place.put('my photos/text.txt', '');
    place.put('camera/IMG_2041.jpg', '');
    place.put('my.yaml', 'out: out\n');
  });

  it.each<[string, string[], RegExp]>([
    ['an unknown flag', ['process', '--prest', 'web', 'photos'], /did you mean --preset\?/],
    ['an unknown flag of status', ['status', '--al', 'abc'], /did you mean --all\?/],
    ['an unknown command', ['proces', 'photos'], /did you mean process\?/],
    ['a flag without its dashes', ['version'], /did you mean --version\?/],
    ['an unknown preset', ['process', '--preset', 'webb', 'photos'], /\bweb\b/],
    ['an unknown key of a variant', ['process', '--variant', 'a:w=10,qualty=5', 'photos'], /\bquality\b/],
    ['an unknown format', ['process', '--variant', 'a:w=10,format=web', 'photos'], /\bwebp\b/],
    ['an unknown way with duplicates', ['process', '--duplicates', 'lnk', 'photos'], /\blink\b/],
    ['an unknown placeholder', ['process', '--name', '{nam}.{ext}', 'photos'], /did you mean .*name/],
    ['a number that is none', ['process', '--jobs', 'many', 'photos'], /--jobs/],
    ['a limit that is none', ['list', '--limit', 'all'], /--limit/],
    ['an unknown batch', ['status', 'ffffffff'], /imgtool list/],
    [
      'no batch',
      ['status'],
      /^error: no batch was named\nfix: imgtool status last, or an id from imgtool list$/m,
    ],
    ['no batch to resume', ['resume'], /^fix: imgtool resume last, or an id from imgtool list$/m],
    [
      'NUL without a list',
      ['process', '-0', 'photos'],
      /^error: -0 .* there is no list\nfix: add --files-from FILE/m,
    ],
    ['an absent path', ['process', 'photos', 'absent.jpg'], /absent\.jpg/],
    ['a glob that matches nothing', ['process', 'photos/*.gif'], /photos/],
    ['nothing to process', ['process'], /nothing to process/],
    [
      'an empty path',
      ['process', ''],
      /an empty path was named\nfix: name a file or folder; \. is this folder/,
    ],
    ['an empty folder of a watch', ['watch', '', '--once'], /an empty path was named/],
    ['no command', [], /no command/],
    ['an absent list', ['process', '--files-from', 'absent'], /absent/],
    ['a mistyped folder', ['process', 'fotos'], /^fix: did you mean photos\? Nothing was done\.$/m],
    ['a mistyped folder of a watch', ['watch', 'photoz'], /^fix: did you mean photos\?/m],
    ['a file in a mistyped folder', ['process', './photo/a.jpg'], /^fix: did you mean photos\/a\.jpg\?/m],
    ['another file of a camera', ['process', 'camera/IMG_2042.jpg'], /^fix: check the path/m],
    ['a mistyped list', ['process', '--files-from', 'lits.txt'], /^fix: did you mean list\.txt\?/m],
    [
      'a mistyped settings file',
      ['process', '--config', 'mi.yaml', 'photos'],
      /^fix: did you mean .*\/my\.yaml\?/m,
    ],
    ['a folder without a command', ['photos'], /^fix: imgtool process photos$/m],
    ['a folder with a space', ['my photos'], /^fix: imgtool process 'my photos'$/m],
    ['a word that every object has', ['constructor'], /^fix: imgtool --help$/m],
    ['a command of another program', ['convert', 'photos'], /^fix: did you mean process\?$/m],
    ['help for an unknown command', ['proces', '--help'], /^fix: did you mean process\?$/m],
    ['help for a word like no command', ['quantum', '--help'], /^fix: imgtool --help$/m],
    ['an option of another command', ['status', '--out', 'x'], /^fix: --out belongs to imgtool process, /m],
    [
      'an option of another command that looks like a word',
      ['process', '--fix', 'x'],
      /--fix belongs to imgtool verify$/m,
    ],
    ['an option before the command', ['--out', 'x', 'process'], /^fix: .* imgtool process --out$/m],
    ['an option without any likeness', ['process', '--zzz', 'photos'], /^fix: imgtool process --help$/m],
    ['a config file that is not there', ['process', '--config', 'absent.yaml', 'photos'], /absent\.yaml/],
  ])('reports %s, suggests a fix and exits with 2', async (_, args, wanted) => {
    const { code, stdout, stderr } = await place.run(args);
    expect({ code, stdout }, stderr).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^error: .+/m);
    expect(stderr).toMatch(wanted);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(existsSync(place.at('imgtool-out'))).toBe(false);
  });

  it.each([
    ['--format', 'each variant has its own format: --variant hero:w=1600,format=avif'],
    ['--quality', 'each variant has its own quality: --variant hero:w=1600,q=80'],
    ['--quality=80', 'each variant has its own quality: --variant hero:w=1600,q=80'],
    ['-quality', 'each variant has its own quality: --variant hero:w=1600,q=80'],
    ['--width', 'each variant has its own width: --variant hero:w=1600'],
    ['--height', 'each variant has its own height: --variant hero:h=1200'],
    ['--size', 'each variant has its own size: --variant hero:w=1600,h=1200'],
    ['--resize', 'each variant has its own size: --variant hero:w=1600,h=1200'],
    ['-resize', 'each variant has its own size: --variant hero:w=1600,h=1200'],
    ['--concurrency', 'use --jobs'],
    ['--threads', 'use --jobs'],
    ['-o', 'use --out'],
    ['--from-file', 'use --files-from'],
    ['--input-list=x', 'use --files-from'],
    ['--null', 'use --nul'],
    ['--output', 'use --out'],
    ['--outptu', 'use --out'],
    ['--progressive', 'each variant has its own encoding: --variant hero:w=1600,format=jpeg,progressive'],
    ['--trim', 'each variant has its own trim: --variant hero:w=1600,trim'],
    ['--linear', 'each variant has its own linear: --variant hero:w=1600,linear'],
    ['--animated', 'each variant has its own animated: --variant hero:w=1600,animated=first'],
    ['--upscale', 'each variant has its own size: --variant hero:w=1600,enlarge'],
    ['--no-color', 'use --color never'],
    ['--no-progress', 'use --progress none'],
    ['--delete', 'to remove the outputs of sources that are gone: --mirror'],
    ['--flat', 'a template names all outputs: --name, see imgtool help naming'],
    ['--formt', 'each variant has its own format: --variant hero:w=1600,format=avif'],
    ['--max-depth', 'imgtool process --help'],
    ['--skip', 'imgtool process --help'],
    ['-r', 'leave it out: folders are always walked with all folders below them'],
    ['--recursive', 'leave it out: folders are always walked with all folders below them'],
  ])('advises what has the meaning of %s', async (option, fix) => {
    const { code, stderr } = await place.run(['process', option, '80', 'photos']);
    expect([code, stderr]).toEqual([2, `error: unknown option '${option}'\nfix: ${fix}\n`]);
  });

  it('names all unknown options in one error, each with its fix', async () => {
    const given = ['--foo', 'photos', '--width=3', '-quality', '80', '--jobs', '2', '--foo', '--bar'];
    const { code, stdout, stderr } = await place.run(['process', ...given, '--', '--baz']);
    const fixes = [
      '--foo, --bar: imgtool process --help',
      '--width=3: each variant has its own width: --variant hero:w=1600',
      '-quality: each variant has its own quality: --variant hero:w=1600,q=80',
    ];
    expect([code, stdout, stderr]).toEqual([
      2,
      '',
      `error: unknown options '--foo', '--width=3', '-quality', '--bar'\nfix: ${fixes.join('; ')}\n`,
    ]);
  });

  it.each([
    ['watch', '--from-file', '--files-from belongs to imgtool process'],
    ['list', '-n', 'use --limit'],
    ['list', '--concurrency', '--jobs belongs to imgtool process, imgtool watch, '],
    [
      'verify',
      '--quality',
      'each variant has its own quality: --variant hero:w=1600,q=80; --variant belongs to ',
    ],
  ])('of %s says which command has what %s means', async (command, option, fix) => {
    const { code, stderr } = await place.run([command, option, '3']);
    expect([code, stderr]).toEqual([2, expect.stringContaining(`fix: ${fix}`)]);
  });

  it('of a file whose name begins with a dash says how to name the file', async () => {
    place.put('-x.jpg', 'text');
    for (const args of [
      ['process', '-x.jpg'],
      ['verify', '-x.jpg'],
    ]) {
      const { code, stderr } = await place.run(args);
      const fix = 'write ./-x.jpg for the file of this name, or -- before it';
      expect([code, stderr]).toEqual([2, `error: unknown option '-x.jpg'\nfix: ${fix}\n`]);
    }
  });

  it.each([
    [['--preset', 'web,gallery'], 'web,gallery'],
    [['--preset', 'web', '--preset', 'gallery'], 'web, gallery'],
  ])('of %j says that one preset counts', async (args, shown) => {
    const { code, stderr } = await place.run(['process', ...args, 'photos']);
    expect([code, stderr]).toEqual([
      2,
      `error: --preset: expected the name of one preset, got "${shown}"\n` +
        'fix: run imgtool once for each, or put the variants of all into a preset of your own: imgtool help config\n',
    ]);
    const twice = await place.run(['config', '--preset', 'gallery', '--preset', 'gallery']);
    expect([twice.code, twice.stdout]).toEqual([0, expect.stringContaining('preset\tgallery\t')]);
  });

  it.each([
    ['process', '--mirror=some', 'write --mirror or --mirror=all'],
    ['watch', '--mirror=some', 'write --mirror or --mirror=all'],
    ['process', '--force=yes', 'write --force without a value'],
    ['process', '--no-mirror=all', 'write --no-mirror without a value'],
    ['verify', '--mirror=some', '--mirror belongs to imgtool process, imgtool watch'],
  ])('of %s says how to write %s, which has a wrong value', async (command, option, fix) => {
    const { code, stdout, stderr } = await place.run([command, option, 'photos']);
    expect([code, stdout, stderr]).toEqual([2, '', `error: unknown option '${option}'\nfix: ${fix}\n`]);
  });

  it('advises what has the meaning of a key of another program', async () => {
    place.put('.imgtoolrc', 'quality: 80\n');
    const { code, stderr } = await place.run(['process', 'photos']);
    expect(code).toBe(2);
    expect(stderr).toContain(`unknown key "quality"\n`);
    expect(stderr).toContain(`fix: each variant has its own quality: variants: 'hero:w=1600,q=80'\n`);
  });

  it('names the key and file of a wrong setting in .imgtoolrc, and the nearest key', async () => {
    place.put('.imgtoolrc', '{"presett": "web"}');
    const { code, stderr } = await place.run(['process', 'photos']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/\.imgtoolrc/);
    expect(stderr).toMatch(/presett[\s\S]*preset\b/);
  });

  it('names a wrong environment variable', async () => {
    const { code, stderr } = await place.run(['process', 'photos'], { env: { IMGTOOL_JOBS: '-1' } });
    expect([code, stderr]).toMatchObject([2, expect.stringContaining('IMGTOOL_JOBS')]);
  });

  it('reports an output path that is not a folder before any work', async () => {
    place.put('out', 'a file');
    const { code, stderr } = await place.run(['process', '--out', 'out', 'photos']);
    expect([code, stderr]).toMatchObject([3, expect.stringMatching(/out.*\n?(cause: .*\n)?fix: /)]);
  });

  it('reports a file that is not an index, and suggests a fix', async () => {
    place.put('index.db', 'This is no database at all, whatever its name may say.'.repeat(99));
    const { code, stderr } = await place.run(['process', '--index', 'index.db', 'photos']);
    expect([code, stderr]).toMatchObject([3, expect.stringContaining('index.db')]);
    expect(stderr).toMatch(/^fix: /m);
  });
});

// Only root can give files to another user.
describe.runIf(process.geteuid?.() === 0)('another user’s settings file above the working folder', () => {
  it('makes the program exit with 2 before it writes or replaces anything', async () => {
    const place = openPlace();
    putOld(place.at('deep/photos/a.jpg'), await picture());
    const settings = place.put('.imgtoolrc', 'force: true\nout: stolen\n');
    chownSync(settings, 4_242, 4_242);
    const run = (...args: string[]) => place.run(['process', ...args, 'photos'], { cwd: place.at('deep') });
    const refused = await run();
    expect([refused.code, refused.stdout]).toEqual([2, '']);
    expect(refused.stderr).toContain(`error: ${settings}: belongs to user 4242`);
    expect(refused.stderr).toContain(
      `fix: name it with --config ${settings} if you trust it, or leave it out`,
    );
    expect(place.files('.')).toEqual(['.imgtoolrc', 'deep/photos/a.jpg']);
    expect((await run('--no-config', '--out', 'out')).code).toBe(0);
    expect((await run('--config', settings)).code).toBe(0);
    expect(existsSync(place.at('stolen'))).toBe(true);
  });
});

describe('the help of a command', () => {
  it.each([
    ['process', true],
    ['resume', true],
    ['verify', true],
    ['status', false],
    ['list', false],
    ['cancel', false],
    ['doctor', false],
  ])('of %s lists the flags for the display of work: %s', async (command, isListed) => {
    const { code, stdout } = await openPlace().run([command, '--help']);
    expect(code).toBe(0);
    for (const flag of ['--quiet', '--verbose', '--progress']) expect(stdout.includes(flag)).toBe(isListed);
    expect(stdout).toContain('--json');
  });
});

describe('a folder without pictures', () => {
  it('is no error: exit 0 and a line that says so', async () => {
    const place = openPlace();
    place.put('empty/notes.txt', 'text');
    const { code, stdout, stderr } = await place.run(['process', 'empty']);
    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).toMatch(/no images found/i);
  });
});
