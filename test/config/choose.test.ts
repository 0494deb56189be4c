import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/config.ts';
import { failure, person } from './folders.ts';

const made = ({ preset }: Config) => [
  preset.name,
  ...preset.variants.map(({ name, width }) => `${name} ${width}`),
];

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

  it('named in a file has variants of the command line added', async () => {
    const { load, write } = person();
    write('.imgtoolrc', 'preset: web\nvariants: [a:w=1]');
    expect(made(await load())).toEqual(['web', 'thumbnail 150', 'medium 600', 'large 1200', 'a 1']);
    expect(made(await load({ variants: ['b:w=2'] })).at(-1)).toBe('b 2');
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
      value: 'hero:w=1600,format=avif,q=55',
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
