import { rmSync, symlinkSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { countsOf, finishedOf, jobOf, openPlace, type Place } from './imgtool.ts';
import { assertInvariants, sourcesOf } from './invariants.ts';
import { picture, putOld } from './pictures.ts';

/** Where the outputs of lists and of named files go, and what --base changes. */

const BATCH = ['process', '--variant', 't:w=20', '--out', 'out'];

let place: Place;
beforeEach(async () => {
  place = openPlace();
  for (const [i, name] of ['a/x', 'b/deep/x'].entries()) {
    putOld(place.at(`photos/${name}.jpg`), await picture({ seed: i + 1 }));
  }
});

/** Runs a batch, and returns the paths of all outputs together with what was said. */
async function outputsOf(args: readonly string[], list?: string) {
  rmSync(place.at('out'), { recursive: true, force: true });
  const files = list === undefined ? [] : ['--files-from', '-'];
  const { code, stderr } = await place.run([...BATCH, ...files, ...args], { stdin: list ?? '' });
  expect(code, stderr).toBe(0);
  return { outputs: place.files('out'), stderr };
}

const TREE = ['photos/a/x_t.webp', 'photos/b/deep/x_t.webp'];
const FLAT = [expect.stringMatching(/^x_t\.webp$/), expect.stringMatching(/^x~[0-9a-f]{8}_t\.webp$/)];

describe('the outputs of a list', () => {
  it('keep the folders below the working folder, without a word', async () => {
    const { outputs, stderr } = await outputsOf([], 'photos/a/x.jpg\n./photos/a/../b/deep/x.jpg\n');
    expect(outputs).toEqual(TREE);
    expect(stderr).not.toContain('warning');
  });

  it('get no folders from absolute paths, and a warning names --base', async () => {
    const list = ['a/x', 'b/deep/x'].map((name) => place.at(`photos/${name}.jpg`)).join('\n');
    const { outputs, stderr } = await outputsOf([], list);
    expect(outputs).toEqual(FLAT);
    expect(stderr).toContain(
      `imgtool: warning: ${place.at('photos/a/x.jpg')} and 1 more: outputs of absolute paths, and of paths above ` +
        'the working folder, get no folders\nimgtool: fix: --base photos keeps the folders\n',
    );
    const based = await outputsOf(['--base', 'photos'], list);
    expect(based.outputs).toEqual(['a/x_t.webp', 'b/deep/x_t.webp']);
    expect(based.stderr).not.toContain('warning');
  });

  it('get no folders from paths above the working folder, and a warning names --base', async () => {
    const cwd = place.at('photos/a');
    const run = (...args: string[]) =>
      place.run([...BATCH, '--files-from', '-', ...args], { cwd, stdin: '../b/deep/x.jpg\nx.jpg\n' });
    const { code, stderr } = await run();
    expect([code, stderr]).toEqual([0, expect.stringMatching(/^imgtool: fix: --base \/\S+\/photos keeps/m)]);
    expect(place.files('photos/a/out')).toEqual(FLAT);
    expect((await run('--base', '..', '--out', 'tree')).stderr).not.toContain('warning');
    expect(place.files('photos/a/tree')).toEqual(['a/x_t.webp', 'b/deep/x_t.webp']);
  });

  it('are no reason for a warning if the names have no folders anyway', async () => {
    const { stderr } = await outputsOf(['--name', '{name}_{variant}.{ext}'], place.at('photos/a/x.jpg'));
    expect(stderr).not.toContain('warning');
  });

  it('are made again by verify --fix where they were, also behind a link that the list named', async () => {
    symlinkSync(place.at('photos/a/x.jpg'), place.at('link.jpg'));
    const list = 'photos/b/deep/x.jpg\nlink.jpg\n';
    const { outputs } = await outputsOf([], list);
    expect(outputs).toEqual(['link_t.webp', 'photos/b/deep/x_t.webp']);
    for (const name of outputs) rmSync(place.at('out', name));
    const fixed = await place.run(['verify', '--fix', '--json']);
    expect([fixed.code, fixed.stderr], fixed.stdout).toEqual([0, '']);
    expect(place.files('out')).toEqual(outputs);
  });
});

describe('the form of a list', () => {
  const LINES = 'photos/a/x.jpg\nphotos/b/deep/x.jpg\n';

  it.each<[string, Buffer, string[], string, string]>([
    ['NUL', Buffer.from(LINES.replaceAll('\n', '\0')), [], 'the paths of the list end with NUL', 'add -0'],
    ['lines', Buffer.from(LINES), ['-0'], 'the paths of the list end with a newline', 'leave out -0'],
    ['UTF-16', Buffer.from(`\ufeff${LINES}`, 'utf16le'), [], 'the list is UTF-16', 'save it as UTF-8: iconv'],
  ])('is named if it is %s by mistake, and nothing is done', async (_, bytes, args, cause, fix) => {
    place.put('list', bytes);
    for (const from of ['list', '-']) {
      const run = await place.run([...BATCH, '--files-from', from, ...args], { stdin: bytes });
      expect([run.code, run.stdout]).toEqual([2, '']);
      const name = from === '-' ? 'standard input' : from;
      expect(run.stderr).toContain(`error: ${name}: ${cause}`);
      expect(run.stderr).toContain(`fix: ${fix}`);
    }
    expect(() => place.files('out')).toThrow(/ENOENT/);
  });
});

describe('the outputs of named files', () => {
  it('go into one folder, and a hint names --base if the files are in several', async () => {
    const files = ['photos/a/x.jpg', 'photos/b/deep/x.jpg'];
    const { outputs, stderr } = await outputsOf(files);
    expect(outputs).toEqual(FLAT);
    expect(stderr).toContain(
      'imgtool: warning: the named files are in 2 folders, and their outputs go into one\n' +
        'imgtool: fix: --base photos keeps the folders\n',
    );
    expect((await outputsOf(['photos/a/x.jpg'])).stderr).not.toContain('warning');
    const based = await outputsOf([...files, '--base', '.']);
    expect(based.outputs).toEqual(TREE);
    expect(based.stderr).not.toContain('warning');
  });
});

describe('the outputs of named folders', () => {
  const tagged = 'ask for the same output names, so one of them gets a tag';

  it('get a tag if two images have the same path below their folders, and a hint names --base', async () => {
    const folders = ['photos/a', 'photos/b/deep'];
    const { outputs, stderr } = await outputsOf(folders);
    expect(outputs).toEqual(FLAT);
    expect(stderr).toContain(
      `imgtool: warning: photos/a/x.jpg and photos/b/deep/x.jpg ${tagged}\n` +
        'imgtool: fix: --base photos keeps the folders\n',
    );
    const based = await outputsOf([...folders, '--base', 'photos']);
    expect([based.outputs, based.stderr]).toEqual([
      ['a/x_t.webp', 'b/deep/x_t.webp'],
      expect.not.stringContaining('warning'),
    ]);
  });

  it('are counted if several get a tag, also beside a named file and with other extensions', async () => {
    putOld(place.at('more/x.png'), await picture({ seed: 3, format: 'png' }));
    const { stderr } = await outputsOf(['photos/a', 'photos/b/deep', 'more/x.png']);
    expect(stderr).toContain(
      `photos/a/x.jpg and photos/b/deep/x.jpg ${tagged}, and 1 more image too\nimgtool: fix: --base . keeps`,
    );
  });

  it.each([
    ['have different paths', ['photos', 'more']],
    ['clash within one folder', ['more', 'photos/b']],
    ['have no folders in their names', ['--name', '{name}_{variant}.{ext}', 'photos/a', 'photos/b/deep']],
  ])('are no reason for a warning if they %s', async (_, args) => {
    putOld(place.at('more/a.png'), await picture({ seed: 3, format: 'png' }));
    putOld(place.at('more/a.jpg'), await picture({ seed: 4 }));
    expect((await outputsOf(args)).stderr).not.toContain('warning');
  });
});

describe('--base', () => {
  it('keeps named folders and globs apart, in process and in watch', async () => {
    const folders = ['photos/a', 'photos/b'];
    expect((await outputsOf([...folders, '--base', 'photos'])).outputs).toEqual([
      'a/x_t.webp',
      'b/deep/x_t.webp',
    ]);
    expect((await outputsOf(['photos/b/*/*.jpg', '--base', '.'])).outputs).toEqual([TREE[1]]);
    const watch = ['watch', '--variant', 't:w=20', '--out', 'watched', '--once', '--base', '.'];
    expect((await place.run([...watch, ...folders])).code).toBe(0);
    expect(place.files('watched')).toEqual(TREE);
  });

  it('comes from a settings file too, relative to that file, and auto turns it off', async () => {
    place.put('.imgtoolrc', 'base: photos\n');
    const cwd = place.at('photos/b');
    const args = [...BATCH, '--out', place.at('out')];
    expect((await place.run([...args, 'deep'], { cwd })).code).toBe(0);
    expect(place.files('out')).toEqual(['b/deep/x_t.webp']);
    expect((await outputsOf(['photos/b', '--base', 'auto'])).outputs).toEqual(['deep/x_t.webp']);
  });

  it.each<[string, string, string, RegExp]>([
    ['is mistyped', 'photoz', 'is not there', /^fix: did you mean \S+\/work\/photos\? Nothing was done\.$/m],
    [
      'does not exist',
      'quite/another',
      'is not there',
      /^fix: name a folder above the inputs, or leave out --base; nothing was done$/m,
    ],
    ['is a file', 'photos/a/x.jpg', 'is not a folder', /^fix: name a folder above the inputs, or leave/m],
  ])('that %s is refused with exit code 2, and nothing is done', async (_, base, lack, fix) => {
    for (const command of [BATCH, ['watch', ...BATCH.slice(1), '--once'], [...BATCH, '--dry-run']]) {
      const { code, stdout, stderr } = await place.run([...command, '--base', base, 'photos']);
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toContain(`error: ${place.at(base)}: the base ${lack}\n`);
      expect(stderr).toMatch(fix);
    }
    place.put('.imgtoolrc', `base: ${base}\n`);
    expect((await place.run([...BATCH, 'photos'])).code).toBe(2);
    expect(() => place.files('out')).toThrow(/ENOENT/);
  });

  it('may be gone when a batch is resumed or retried', async () => {
    place.put('photos/b/bad.jpg', 'no picture');
    const named = ['photos/b/bad.jpg', 'photos/a/x.jpg'];
    const first = await place.run([...BATCH, '--json', '--base', 'photos/a', ...named]);
    rmSync(place.at('photos/a'), { recursive: true });
    const retried = await place.run(['retry', finishedOf(first).batch, '--json']);
    expect([retried.code, countsOf(retried).failed], retried.stderr).toEqual([1, 1]);
    expect(jobOf(retried, 'photos/b/bad.jpg').error?.code).toBe('not_an_image');
  });

  it('warns of inputs that are not below it', async () => {
    const { outputs, stderr } = await outputsOf(['photos/a', 'photos/b/deep/x.jpg', '--base', 'photos/b']);
    expect(outputs).toEqual(['deep/x_t.webp', 'x_t.webp']);
    expect(stderr).toContain(
      `imgtool: warning: photos/a: not below the base ${place.at('photos/b')}, so {dir} is as without a base\n` +
        'imgtool: fix: --base photos is above all inputs\n',
    );
  });

  it('holds when images are retried and when outputs are made again', async () => {
    place.put('photos/b/bad.jpg', 'no picture');
    const based = ['--json', '--base', 'photos', 'photos/b'];
    const first = await place.run([...BATCH, ...based]);
    expect([first.code, countsOf(first)], first.stderr).toEqual([1, { completed: 1, failed: 1 }]);
    putOld(place.at('photos/b/bad.jpg'), await picture({ seed: 3 }));
    const sources = sourcesOf(place, 'photos');
    const retried = await place.run(['retry', finishedOf(first).batch, '--json']);
    expect(jobOf(retried, 'photos/b/bad.jpg').outputs).toMatchObject([{ path: 'out/b/bad_t.webp' }]);
    rmSync(place.at('out/b'), { recursive: true });
    const fixed = await place.run(['verify', finishedOf(first).batch, '--fix', '--json']);
    expect([fixed.code, fixed.stderr], fixed.stdout).toEqual([0, '']);
    expect(place.files('out')).toEqual(['b/bad_t.webp', 'b/deep/x_t.webp']);
    const again = await place.run([...BATCH, ...based]);
    expect(countsOf(again)).toEqual({ unchanged: 2 });
    await assertInvariants(place, { sources, outcome: again });
  });
});
