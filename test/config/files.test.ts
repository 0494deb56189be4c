import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { failure, person } from './folders.ts';

const linux = process.platform === 'linux';

describe('the file of settings', () => {
  it.each([
    ['.imgtoolrc', '{"jobs": 7}'],
    ['.imgtoolrc', '\ufeff{\n\t"jobs": 7\n}\n'],
    ['.imgtoolrc', 'jobs: 7 # seven'],
    ['.imgtoolrc.json', '{"jobs": 7}'],
    ['.imgtoolrc.json', '{"jobs": 7, # seven\n}'],
    ['.imgtoolrc.yaml', 'jobs: 7'],
    ['.imgtoolrc.yml', 'jobs: "7"'],
  ])('may be %s saying %j', async (name, text) => {
    const { load, write } = person();
    write(`work/${name}`, text);
    expect((await load()).jobs).toBe(7);
  });

  it('is the nearest at or above the working folder, and that one alone', async () => {
    const { load, write } = person();
    write('.imgtoolrc', 'jobs: 7\nforce: true');
    write('work/.imgtoolrc', 'jobs: 8');
    expect(await load()).toMatchObject({ jobs: 8, force: false });
  });

  it('may say nothing', async () => {
    const { load, write } = person();
    write('.imgtoolrc', '# jobs: 7\n');
    expect((await load()).outGiven).toBe('imgtool-out');
  });

  it('may leave a key without a value', async () => {
    const { load, write } = person();
    write('.imgtoolrc', 'out:\njobs: 3');
    expect(await load()).toMatchObject({ outGiven: 'imgtool-out', jobs: 3 });
  });

  it.runIf(linux)('lies over the own one of the user, key by key', async () => {
    const { load, write } = person();
    write('.config/imgtool/config.json', '{"jobs": 7, "force": true}');
    write('.imgtoolrc', 'jobs: 8');
    expect(await load()).toMatchObject({ jobs: 8, force: true });
  });

  it('named by --config stands for both, and --no-config for none', async () => {
    const { load, write, cwd, home } = person();
    write('.config/imgtool/config.json', '{"force": true}');
    write('.imgtoolrc', 'jobs: 7');
    write('other.yaml', 'jobs: 9');
    expect(await load({ config: '../other.yaml' })).toMatchObject({ jobs: 9, force: false });
    expect(await load({ config: '~/other.yaml' })).toMatchObject({ jobs: 9 });
    const named = { IMGTOOL_CONFIG: join(home, 'other.yaml') };
    expect(await load({}, named)).toMatchObject({ jobs: 9, force: false });
    expect((await load({ config: false }, named)).origins.map(({ origin }) => origin)).not.toContain(cwd);
    expect(await load({ config: false })).toMatchObject({ force: false });
    expect(await load({}, { IMGTOOL_NO_CONFIG: '1' })).toMatchObject({ force: false });
    expect(await load({ config: '../other.yaml' }, { IMGTOOL_NO_CONFIG: '1' })).toMatchObject({ jobs: 9 });
  });
});

describe('a file that is wrong', () => {
  it.each([
    ['{"jobs": 7', /:1:\d+: is no JSON/],
    ['{\n  "jobs": 7\n  "out": "x"\n}', /:3:3: is no JSON: Expected ',' or '}' after property value$/],
    ['{\n\t"jobs": 7\n\t"out": "x"\n}', /:3:2: is no JSON: /],
    ['{"jobs": }x', /:1:\d+: is no JSON or YAML: /],
    ['jobs: 7\n\tout: x', /:2:\d+: is no JSON or YAML: /],
    ['jobs: 7\njobs: 8', /:2:1: is no JSON or YAML: Map keys must be unique$/],
    ['jobs: *nobody', /: Unresolved alias/],
    ['jobs: !!seven 7', /:1:7: is no JSON or YAML: Unresolved tag/],
    ['- jobs', /: expected a mapping of settings, got a list$/],
    ['web', /: expected a mapping of settings, got "web"$/],
    ['presets: 5', /: presets: expected a mapping from names to variants, got 5$/],
    ['presets: { a: [] }', /: presets\.a: expected at least one variant, got a list$/],
    ['presets: { a/b: [x:w=1] }', /: presets\.a\/b: expected a name of letters/],
    ['presets: { a: [{ name: x, width: 1, q: 0 }] }', /: presets\.a\[0\]: quality: expected a whole number/],
  ])('%j is named with what is wrong with it', async (text, message) => {
    const { load, write } = person();
    const file = write('.imgtoolrc', text);
    const error = await failure(() => load());
    expect(error.code).toBe('config');
    expect(error.message.startsWith(file)).toBe(true);
    expect(error.message.slice(file.length)).toMatch(message);
    expect(error.message).not.toContain('\n');
  });

  it('because it is not UTF-8 is said to be', async () => {
    const { load, home } = person();
    execFileSync('sh', ['-c', `printf 'out: \\377' > .imgtoolrc`], { cwd: home });
    expect((await failure(() => load())).message).toBe(`${join(home, '.imgtoolrc')}: is not UTF-8 text`);
  });

  it('because it is a folder is said to be', async () => {
    const { load, home } = person();
    const folder = join(home, '.imgtoolrc');
    mkdirSync(folder);
    const error = await failure(() => load());
    expect(error.code).toBe('config');
    expect(error.message).toBe(`${folder}: expected a file of settings, got "the folder ${folder}"`);
  });

  it('because its link leads nowhere is said to be', async () => {
    const { load, home } = person();
    symlinkSync('/nowhere', join(home, '.imgtoolrc'));
    expect((await failure(() => load())).message).toBe(`${join(home, '.imgtoolrc')}: is not there`);
  });

  it.runIf(linux)('because it is a pipe never blocks', async () => {
    const { load, home } = person();
    execFileSync('mkfifo', [join(home, '.imgtoolrc')]);
    expect((await failure(() => load())).message).toContain('expected a regular file');
  });

  it.runIf(linux && process.getuid?.() !== 0)('because it may not be read is said to be', async () => {
    const { load, write } = person();
    const file = write('.imgtoolrc', 'jobs: 7');
    chmodSync(file, 0);
    expect((await failure(() => load())).message).toBe(`${file}: could not be read (EACCES)`);
  });

  it('because there are two beside each other names both', async () => {
    const { load, write } = person();
    const one = write('.imgtoolrc', 'jobs: 7');
    const two = write('.imgtoolrc.yaml', 'jobs: 8');
    expect((await failure(() => load())).message).toBe(`${two}: stands beside ${one}, expected one of them`);
  });

  it('named on the command line and not there is a usage error', async () => {
    const { load, home } = person();
    const error = await failure(() => load({ config: '../no.yaml' }));
    expect(error.code).toBe('usage');
    expect(error.message).toBe(`--config: ${join(home, 'no.yaml')}: is not there`);
    expect((await failure(() => load({ config: '' }))).message).toBe('--config: expected a file, got ""');
  });
});

it('a working folder that is gone or the root of the system has no file of settings', async () => {
  const { home } = person();
  const config = await loadConfig({ flags: {}, cwd: join(home, 'gone'), env: {}, home });
  expect(config.warnings).toEqual([]);
});

describe('a number in a settings file where text is expected', () => {
  it('is the text that is written, also with leading zeros', async () => {
    const { load, write, home } = person();
    const variants = '[{ name: 400, width: 0400 }, { name: 0800, width: 800 }, 007:w=7]';
    write('.imgtoolrc', `preset: 2024\nout: 2025\nexclude: [2026, 007]\npresets: { 2024: ${variants} }`);
    const { preset, out, exclude } = await load();
    expect(preset.variants.map(({ name, width }) => [name, width])).toEqual([
      ['400', 400],
      ['0800', 800],
      ['007', 7],
    ]);
    expect([preset.name, out, exclude]).toEqual(['2024', join(home, '2025'), ['2026', '007']]);
  });

  it('is still an error where the number is no name', async () => {
    const { load, write } = person();
    write('.imgtoolrc', 'variants: [{ name: 1.5e-7, width: 5 }]');
    expect((await failure(() => load())).message).toMatch(/name: expected a name of letters.*, got 1\.5e-7$/);
    write('.imgtoolrc', 'variants: [{ name: true, width: 5 }]');
    expect((await failure(() => load())).message).toMatch(/name: expected a name of letters.*, got true$/);
  });
});
