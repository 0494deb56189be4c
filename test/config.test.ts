import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Key } from '../src/config/settings.ts';
import { envName, isRepeatable, KEYS, longFlag } from '../src/config/settings.ts';
import { batchOptions, type Config, loadConfig } from '../src/config.ts';
import { failure, person } from './config/folders.ts';

/** Four different values for each setting, as users write them. The last value is for the user's own file. */
const VALUES: Readonly<Record<Key, readonly [string, string, string, string]>> = {
  existing: ['true', 'false', 'true', 'false'],
  settle: ['1s', '200ms', '3s', '4m'],
  scanInterval: ['1s', '200ms', '3h', '4d'],
  poll: ['true', 'false', 'true', 'false'],
  mirror: ['true', 'false', 'true', 'false'],
  once: ['true', 'false', 'true', 'false'],
  out: ['/a', '/b', '/c', '/d'],
  preset: ['archive', 'gallery', 'compat', 'archive'],
  variants: ['a:w=1', 'b:w=2', 'c:w=3', 'd:w=4'],
  effort: ['0', '10', 'auto', '3'],
  keep: ['copyright', 'icc+xmp', 'none', 'gps'],
  copyright: ['© A', 'B', 'C', 'D'],
  artist: ['A', 'B', 'C', 'D'],
  times: ['true', 'false', 'true', 'false'],
  keepEdited: ['true', 'false', 'true', 'false'],
  name: [
    'a/{name}_{variant}.{ext}',
    'b/{name}_{variant}.{ext}',
    'c/{name}_{variant}.{ext}',
    '{name}_{variant}.{ext}',
  ],
  base: ['/a', '/b', 'auto', '/d'],
  duplicates: ['copy', 'skip', 'copy', 'skip'],
  force: ['true', 'false', 'true', 'false'],
  outdated: ['true', 'false', 'true', 'false'],
  dryRun: ['true', 'false', 'true', 'false'],
  allFiles: ['true', 'false', 'true', 'false'],
  followSymlinks: ['true', 'false', 'true', 'false'],
  ignoreCtime: ['true', 'false', 'true', 'false'],
  include: ['*.a', '*.b', '*.c', '*.d'],
  exclude: ['*.a', '*.b', '*.c', '*.d'],
  jobs: ['11', '12', '13', '14'],
  memory: ['64M', '1.5GiB', '16777217', '2G'],
  limitPixels: ['1M', '2M', '3k', '5'],
  allowSvg: ['true', 'false', 'true', 'false'],
  lenient: ['true', 'false', 'true', 'false'],
  timeout: ['1s', '2500ms', '3m', '4h'],
  listen: ['127.0.0.1:1', '[::1]:2', 'localhost:3', '0.0.0.0:4'],
  admin: ['127.0.0.1:1', 'none', 'localhost:3', '0.0.0.0:4'],
  storage: ['/a', '/b', '/c', '/d'],
  private: ['true', 'false', 'true', 'false'],
  jwtSecretFile: ['/a', '/b', 'none', '/d'],
  jwks: ['https://a.example/keys', 'http://b.example', 'none', 'https://d.example'],
  jwtIssuer: ['A', 'B', 'none', 'D'],
  jwtAudience: ['A', 'B', 'none', 'D'],
  maxUpload: ['1M', '1.5GiB', '2k', '5M'],
  maxFiles: ['1', '2', '3', '4'],
  accept: ['jpeg', 'png,webp', 'gif', 'svg,avif'],
  rateLimit: ['1/2s', '3/4m', 'none', '5/6h'],
  maxQueue: ['1k', '2M', '3', '4'],
  keepFailed: ['1d', '2h', '3s', '4d'],
  corsOrigin: ['https://a.example', 'http://b.example:8', 'https://c.example', 'https://d.example'],
  trustProxy: ['127.0.0.1', '10.0.0.0/8', '::1', 'loopback'],
  publicUrl: ['https://a.example/x', 'http://b.example', 'none', 'https://d.example'],
  scan: ['a', 'b --c', 'none', 'd'],
  json: ['true', 'false', 'true', 'false'],
  quiet: ['true', 'false', 'true', 'false'],
  verbose: ['true', 'false', 'true', 'false'],
  profile: ['true', 'false', 'true', 'false'],
  progress: ['bar', 'plain', 'none', 'bar'],
  color: ['always', 'never', 'always', 'never'],
  index: ['/a', '/b', '/c', '/d'],
};

const shown = (config: Config, key: string) => {
  const entry = config.origins.find((origin) => origin.key === key);
  return entry && { key, text: entry.text, origin: entry.origin };
};
/** `imgtool config` shows a variant with its format. */
const asShown = (key: Key, value: string) => (key === 'variants' ? `${value},format=webp` : value);

describe.runIf(process.platform === 'linux')('each setting comes from the first source that has it', () => {
  it.each(KEYS)('%s: flag, environment, .imgtoolrc, own file, default', async (key) => {
    // The variants of the preset compat share names, so the templates above would clash. Any other preset works.
    const { load, write } = person();
    const [flag, variable, near, own] = VALUES[key];
    const initial = shown(await load(), key);
    expect(initial?.origin).toBe('default');

    const ownFile = write('.config/imgtool/config.yaml', `${key}: '${own}'`);
    expect(shown(await load(), key)).toEqual({ key, text: asShown(key, own), origin: ownFile });

    const nearFile = write('.imgtoolrc', JSON.stringify({ [key]: near }));
    expect(shown(await load(), key)).toEqual({ key, text: asShown(key, near), origin: nearFile });

    const env = { [envName(key)]: variable };
    expect(shown(await load({}, env), key)).toEqual({
      key,
      text: asShown(key, variable),
      origin: envName(key),
    });

    const flags = { [key]: isRepeatable(key) ? [flag] : flag };
    expect(shown(await load(flags, env), key)).toEqual({
      key,
      text: asShown(key, flag),
      origin: `flag ${longFlag(key)}`,
    });
  });
});

describe('without any settings', () => {
  it('the defaults are the documented ones', async () => {
    const { load, cwd, home } = person();
    const config = await load();
    expect(config).toMatchObject({
      cwd,
      out: join(cwd, 'imgtool-out'),
      outGiven: 'imgtool-out',
      template: '{dir}/{name}_{variant}.{ext}',
      duplicates: 'link',
      limits: { pixels: 268_000_000, allowSvg: false, lenient: false, timeout: 120_000 },
      watch: {
        settle: 500,
        scanInterval: 600_000,
        existing: true,
        poll: false,
        mirror: false,
        once: false,
      },
      include: [],
      exclude: [],
      progress: 'auto',
      color: 'auto',
      warnings: [],
    });
    expect(config.preset.name).toBe('web');
    expect(config.jobs).toBeGreaterThanOrEqual(1);
    expect(config.memory).toBeGreaterThanOrEqual(64_000_000);
    if (process.platform === 'linux') expect(config.index).toBe(join(home, '.local/state/imgtool/index.db'));
  });

  it('the result is deeply frozen', async () => {
    const config = await person().load();
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.limits)).toBe(true);
    expect(Object.isFrozen(config.preset.variants[0])).toBe(true);
    expect(Object.isFrozen(config.include)).toBe(true);
  });

  it('the index of a service is in the state folder from systemd', async () => {
    const config = await person().load({}, { STATE_DIRECTORY: '/var/lib/imgtool:/var/lib/other' });
    expect(config.index).toBe('/var/lib/imgtool/imgtool.db');
  });
});

describe('the memory budget', () => {
  it('of a batch is the given size in bytes', async () => {
    const config = await person().load({ memory: '1.5GiB' });
    expect(config.memory).toBe(1_610_612_736);
    expect(batchOptions(config).memory).toBe(1_610_612_736);
  });

  it('of one picture is the given size, and by default exceeds the budget of the batch', async () => {
    expect((await person().load({ memory: '1.5GiB' })).memoryCap).toBe(1_610_612_736);
    const config = await person().load();
    expect(config.memoryCap).toBeGreaterThanOrEqual(config.memory);
    expect(batchOptions(config).memoryCap).toBe(config.memoryCap);
  });

  it('is shown with the result of auto, in whole megabytes', async () => {
    const config = await person().load({ memory: 'auto' });
    expect(shown(config, 'memory')?.text).toMatch(/^\d+(\.\d+)?[MG]$/);
    expect(config.memory % 1_000_000).toBe(0);
  });
});

describe('paths', () => {
  it('in a file start from the folder of the file and are shown relative to the working folder', async () => {
    const { load, write, home, cwd } = person();
    write('.imgtoolrc', 'out: work/made\nindex: ./i.db');
    const config = await load();
    expect(config.out).toBe(join(cwd, 'made'));
    expect(config.outGiven).toBe('made');
    expect(config.index).toBe(join(home, 'i.db'));
  });

  it('outside the working folder are shown in full', async () => {
    const { load, write, home } = person();
    write('.imgtoolrc', 'out: made');
    const config = await load();
    expect(config.outGiven).toBe(join(home, 'made'));
  });

  it('of flags and variables start from the working folder and are shown as given', async () => {
    const { load, cwd } = person();
    const config = await load({ out: '../x' }, { IMGTOOL_INDEX: 'i.db' });
    expect(config.out).toBe(join(cwd, '../x'));
    expect(config.outGiven).toBe('../x');
    expect(config.index).toBe(join(cwd, 'i.db'));
  });

  it('that begin with ~/ start from the home folder', async () => {
    const { load, home } = person();
    const config = await load({ out: '~/x' });
    expect(config.out).toBe(join(home, 'x'));
    expect(config.outGiven).toBe(join(home, 'x'));
  });
});

describe('the template of names', () => {
  it('that gives two variants the same name is refused with the missing placeholder', async () => {
    const error = await failure(() => person().load({ name: '{name}.{ext}' }));
    expect(error.code).toBe('usage');
    expect(error.message).toBe(
      '--name: expected names that tell thumbnail (webp) from medium (webp) in preset "web", got "{name}.{ext}"',
    );
    expect(error.fix).toContain('add {variant}');
  });

  it.each([
    ['{name}_{variant}', '{name}_{variant}.{ext}'],
    ['{name}', '{name}_{variant}.{ext}'],
    ['{name}_{variant}{ext}', '{name}_{variant}.{ext}'],
    ['{name}_{variant}.jpg', '{name}_{variant}.{ext}'],
    ['{ext}/{name}_{variant}', '{ext}/{name}_{variant}.{ext}'],
  ])('%s without an extension of the format is refused, and the fix is %s', async (name, fixed) => {
    const { load, write } = person();
    const error = await failure(() => load({ name }));
    expect([error.code, error.fix]).toEqual(['usage', `use ${fixed}`]);
    expect(error.message).toBe(`--name: expected a name that ends in .{ext}, here .webp, got "${name}"`);
    expect((await load({ name: fixed })).template).toBe(fixed);
    const file = write('.imgtoolrc', `name: '${name}'`);
    expect((await failure(() => load())).message).toContain(`${file}: name: expected`);
  });

  it.each([
    ['{name}_{variant}.{format}', 'compat'],
    ['{name}_{variant}.webp', 'web'],
  ])('%s with another right extension is accepted for %s', async (name, preset) => {
    expect((await person().load({ name, preset })).template).toBe(name);
  });

  it('with one extension is refused for a preset of two formats', async () => {
    const error = await failure(() => person().load({ name: '{name}_{variant}.webp', preset: 'compat' }));
    expect(error.fix).toBe('use {name}_{variant}.{ext}');
  });
});

describe('the values in `imgtool config --json`', () => {
  it('have their types, and mean the same in a settings file', async () => {
    const { load, write } = person();
    const flags = {
      ...{ variants: ['a:w=5,q=7'], preset: 'web', timeout: '1.5s', scanInterval: '10m', memory: '64M' },
      ...{ include: ['*.png'], force: true, jobs: '3', settle: '2s', limitPixels: '5M' },
    };
    const before = await load(flags);
    const values = Object.fromEntries(before.origins.map(({ key, value }) => [key, value]));
    expect(values).toMatchObject({
      ...{ timeout: 1.5, scanInterval: 600, settle: 2000, memory: 64e6, include: ['*.png'], force: true },
      ...{ jobs: 3, limitPixels: 5e6, preset: 'web', effort: null },
      variants: [{ name: 'a', width: 5, quality: 7, format: 'webp' }],
    });
    write('.imgtoolrc', JSON.stringify(values));
    const { origins: _, outGiven: __, newIndex: ___, ...after } = await load();
    expect(before).toMatchObject(after);
  });
});

describe('the environment', () => {
  it('is the environment of the process by default', async () => {
    const { cwd, home } = person();
    const config = await loadConfig({ flags: {}, cwd, home });
    expect(config.look.noColor).toBe(Boolean(process.env.NO_COLOR));
  });

  it('has no effect through an empty variable', async () => {
    const config = await person().load({}, { IMGTOOL_OUT: '', IMGTOOL_JOBS: '' });
    expect(config.outGiven).toBe('imgtool-out');
  });

  it('separates lists by semicolons and newlines', async () => {
    const config = await person().load(
      {},
      { IMGTOOL_INCLUDE: '*.{a,b}; c d\n*.e', IMGTOOL_VARIANT: 'a:w=1;b:h=2' },
    );
    expect(config.include).toEqual(['*.{a,b}', 'c d', '*.e']);
    expect(config.preset.variants.map((variant) => variant.name)).toEqual(['a', 'b']);
  });

  it('with an unknown IMGTOOL_ variable causes a warning and no error', async () => {
    const config = await person().load({}, { IMGTOOL_LIMITPIXELS: '1', IMGTOOL_XYZZY: '1' });
    expect(config.warnings.map((warning) => warning.message)).toEqual([
      'IMGTOOL_LIMITPIXELS: no setting of this name, ignored (did you mean "IMGTOOL_LIMIT_PIXELS"?)',
      'IMGTOOL_XYZZY: no setting of this name, ignored',
    ]);
  });

  it('turns on stacks with DEBUG', async () => {
    expect((await person().load({}, { DEBUG: 'other,imgtool' })).debug).toBe(true);
    expect((await person().load({}, { DEBUG: 'notimgtool' })).debug).toBe(false);
  });
});
