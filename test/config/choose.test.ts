import { describe, expect, it } from 'vitest';
import type { Config, Flags } from '../../src/config.ts';
import { failure, person } from './folders.ts';

const made = ({ preset }: Config) => [
  preset.name,
  ...preset.variants.map(({ name, width }) => `${name} ${width}`),
];

describe('metadata to keep', () => {
  const kept = ({ preset }: Config) => preset.variants.map(({ name, keep }) => `${name} ${keep}`);

  it('is that of all variants without one of their own', async () => {
    const variants = ['a:w=1', 'b:w=1,keep=gps+date', 'c:w=1,keep=none'];
    expect(kept(await person().load({ keep: 'icc, copyright', variants }))).toEqual([
      'a copyright+icc',
      'b date+gps',
      'c none',
    ]);
  });

  it.each<[Flags, string]>([
    [{ keep: 'copright' }, '--keep: unknown metadata "copright" (did you mean "copyright"?)'],
    [
      { keep: 'gps', variants: ['a:format=gif'] },
      '--keep (variant a): expected what gif can hold, got "gps"',
    ],
    [{ keep: 'exif', variants: ['a:format=tiff'] }, '--keep (variant a): expected what tiff can hold'],
    [{ variants: ['a:format=tiff,keep=icc'] }, 'gps, camera, xmp, joined by +, or none, got "icc"'],
    [{ copyright: 'me', variants: ['a:format=gif'] }, '--copyright (variant a): expected no copyright'],
  ])('is refused where it cannot be held: %o', async (flags, message) => {
    expect((await failure(() => person().load(flags))).message).toContain(message);
  });
});

describe('the preset', () => {
  it('is custom where only variants are given', async () => {
    expect(made(await person().load({ variants: ['hero:w=1600', 'x:w=2'] }))).toEqual([
      'custom',
      'hero 1600',
      'x 2',
    ]);
  });

  it('named beside variants has them added, and replaced where name and format are the same', async () => {
    const config = await person().load({ preset: 'web', variants: ['hero:w=1600', 'medium:w=601'] });
    expect(made(config)).toEqual(['web', 'thumbnail 150', 'medium 601', 'large 1200', 'hero 1600']);
  });

  it('named in a file has the variants of the same file added', async () => {
    const { load, write } = person();
    write('.imgtoolrc', 'preset: web\nvariants: [a:w=1]');
    expect(made(await load())).toEqual(['web', 'thumbnail 150', 'medium 600', 'large 1200', 'a 1']);
  });

  it.each<[string, Flags, NodeJS.ProcessEnv, string[]]>([
    ['a preset given by flag', { preset: 'gallery' }, {}, ['gallery', 'standard', 'thumbnail', 'grayscale']],
    ['variants given by flag', { variants: ['b:w=2'] }, {}, ['custom', 'b']],
    ['both given by flag', { preset: 'mine', variants: ['b:w=2'] }, {}, ['mine', 'hero', 'b']],
    ['a preset of a variable', {}, { IMGTOOL_PRESET: 'mine' }, ['mine', 'hero']],
    ['variants of a variable', {}, { IMGTOOL_VARIANT: 'b:w=2;c:w=3' }, ['custom', 'b', 'c']],
    ['a flag before a variable', { preset: 'mine' }, { IMGTOOL_VARIANT: 'b:w=2' }, ['mine', 'hero']],
    ['a variable beside an empty list', { variants: [] }, { IMGTOOL_PRESET: 'mine' }, ['mine', 'hero']],
    ['nothing', {}, {}, ['web', 'thumbnail', 'medium', 'large', 'a']],
  ])('and its variants in a file are both replaced by a nearer layer: %s', async (_, flags, env, wanted) => {
    const { load, write } = person();
    write('.imgtoolrc', 'preset: web\nvariants: [a:w=1]\npresets: { mine: [hero:w=1600] }');
    const { preset } = await load(flags, env);
    expect([preset.name, ...preset.variants.map(({ name }) => name)]).toEqual(wanted);
  });

  it.runIf(process.platform === 'linux')(
    'of the user’s own file gives way to the variants of a project',
    async () => {
      const { load, write } = person();
      write('.config/imgtool/config.yaml', 'preset: archive\nvariants: [own:w=9]');
      write('.imgtoolrc', 'variants: [a:w=1]');
      expect(made(await load())).toEqual(['custom', 'a 1']);
      write('.imgtoolrc', 'preset: gallery');
      expect((await load()).preset.variants.map(({ name }) => name)).toEqual([
        'standard',
        'thumbnail',
        'grayscale',
      ]);
    },
  );

  it('and the variants are shown only as far as they are in force', async () => {
    const { load, write } = person();
    const file = write('.imgtoolrc', 'preset: web\nvariants: [a:w=1]');
    const shown = ({ origins }: Config) =>
      origins
        .filter(({ key }) => key === 'preset' || key === 'variants')
        .map(({ text, origin }) => [text, origin]);
    expect(shown(await load())).toEqual([
      ['web', file],
      ['a:w=1,format=webp', file],
    ]);
    expect(shown(await load({ preset: 'gallery' }))).toEqual([
      ['gallery', 'flag --preset'],
      ['none', 'default'],
    ]);
    expect(shown(await load({ variants: ['b:w=2'] }))).toEqual([
      ['none', 'flag --variant'],
      ['b:w=2,format=webp', 'flag --variant'],
    ]);
  });

  it('is custom where a file has only variants', async () => {
    const { load, write } = person();
    write('.imgtoolrc', 'variants: { a: { width: 1 } }');
    expect(made(await load())).toEqual(['custom', 'a 1']);
  });

  it('stays the default where the variants are none', async () => {
    expect((await person().load({ variants: [] })).preset.name).toBe('web');
  });
});

describe('a preset of the user', () => {
  it('is found by its name and listed after the built-in ones with its file', async () => {
    const { load, write } = person();
    const file = write(
      '.imgtoolrc',
      'presets: { mine: [{ name: hero, width: 1600, format: avif, quality: 55 }] }',
    );
    const config = await load({ preset: 'mine' });
    expect(made(config)).toEqual(['mine', 'hero 1600']);
    expect(config.presets.map(({ name }) => name)).toEqual(['web', 'archive', 'gallery', 'compat', 'mine']);
    expect(config.origins.at(-1)).toEqual({
      key: 'presets.mine',
      value: config.presets.at(-1)?.variants,
      text: 'hero:w=1600,format=avif,q=55',
      origin: file,
    });
  });

  it('may replace a built-in one', async () => {
    const { load, write } = person();
    write('.imgtoolrc', 'presets: { web: { only: { width: 9 } } }');
    expect(made(await load())).toEqual(['web', 'only 9']);
  });

  it.runIf(process.platform === 'linux')('in the nearer file wins over one of the same name', async () => {
    const { load, write } = person();
    write('.config/imgtool/config.yaml', 'presets: { a: [x:w=1], b: [x:w=2] }');
    write('.imgtoolrc', 'presets: { a: [x:w=3] }');
    expect(made(await load({ preset: 'a' }))).toEqual(['a', 'x 3']);
    expect(made(await load({ preset: 'b' }))).toEqual(['b', 'x 2']);
  });

  it('is checked even when it is not the one in use', async () => {
    const { load, write } = person();
    write('.imgtoolrc', 'presets: { mine: [{ name: hero, width: 0 }] }');
    expect((await failure(() => load())).message).toContain(
      'presets.mine[0]: width: expected a whole number',
    );
  });
});
