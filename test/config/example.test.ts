import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { KEYS, type Key, SETTINGS } from '../../src/config/settings.ts';
import type { Config } from '../../src/config.ts';
import { person } from './folders.ts';

const example = readFileSync(new URL('../../.imgtoolrc.example', import.meta.url), 'utf8');
/** What is free, and with it what `auto` comes to, changes from one moment to the next. */
const withoutMemory = ({ memory: _, memoryCap: __, ...rest }: Config) => rest;

/** Whether the example has this key. It refers to `imgtool config` for the others. */
const isNamed = (key: Key) => !['display', 'work'].includes(SETTINGS[key].group);

const SETTING = /^# (\w+): (.*)$/gm;

describe('.imgtoolrc.example', () => {
  it('changes nothing as it is, and brings a preset', async () => {
    const { load, write } = person();
    const { presets: _, origins: __, ...before } = withoutMemory(await load());
    write('work/.imgtoolrc', example);
    const { presets, origins, ...after } = withoutMemory(await load());
    expect(after).toEqual(before);
    expect(presets.at(-1)?.name).toBe('blog');
    expect((await load({ preset: 'blog' })).preset.variants.map(({ name }) => name)).toEqual([
      'hero',
      'card',
      'banner',
      'icon',
    ]);
    expect(origins.filter(({ origin }) => origin !== 'default').map(({ key }) => key)).toEqual([
      'presets.blog',
    ]);
  });

  it.runIf(process.platform === 'linux')(
    'with every comment of a key taken off says the defaults',
    async () => {
      const { load, write } = person();
      const { presets: _, origins: __, ...before } = withoutMemory(await load());
      const file = write('work/.imgtoolrc', example.replace(SETTING, '$1: $2'));
      const { presets: ___, origins, ...after } = withoutMemory(await load());
      expect(after).toEqual({ ...before, outGiven: './imgtool-out' });
      const inFile = origins.flatMap(({ key, origin }) => (origin === file ? [key] : []));
      expect(inFile).toEqual([...KEYS.filter(isNamed), 'presets.blog']);
    },
  );

  it('names every key except those that say what is shown', () => {
    const named = [...example.matchAll(SETTING)].map(([, key]) => key);
    expect(named.sort()).toEqual(KEYS.filter(isNamed).sort());
  });
});
