import { describe, expect, it } from 'vitest';
import { type Group, KEYS, SETTINGS } from '../src/config/settings.ts';
import type { ProcessOptions, WatchSettings } from '../src/index.ts';

/** Every option of a type, once: a new setting without a type fails here, and an option without a key does not compile. */
type Names<Options, Own extends string> = { readonly [K in Exclude<keyof Options, Own>]-?: true };

const PROCESS: Names<ProcessOptions, 'config' | 'cwd' | 'signal'> = {
  ...{ out: true, preset: true, variants: true, effort: true, name: true, base: true, duplicates: true },
  ...{ keep: true, copyright: true, artist: true, times: true, keepEdited: true },
  ...{ force: true, outdated: true, dryRun: true, mirror: true },
  ...{ limitPixels: true, allowSvg: true, lenient: true, timeout: true, jobs: true, memory: true },
  ...{ allFiles: true, followSymlinks: true, ignoreCtime: true, include: true, exclude: true, index: true },
};
const WATCH: Names<WatchSettings, 'signal'> = (() => {
  const { dryRun: _, index: __, jobs: ___, memory: ____, ...batch } = PROCESS;
  return { ...batch, settle: true, scanInterval: true, existing: true, poll: true, once: true };
})();

const keysOf = (...groups: Group[]) => KEYS.filter((key) => groups.includes(SETTINGS[key].group)).sort();

describe('the types of the library', () => {
  it('have each setting of inputs, outputs, limits and the index', () => {
    expect(Object.keys(PROCESS).sort()).toEqual(
      keysOf('inputs', 'lists', 'outputs', 'variants', 'limits', 'settings'),
    );
  });

  it('have each setting of a watch', () => {
    const ofEngine = ['dryRun', 'jobs', 'memory'];
    const keys = keysOf('watch', 'inputs', 'outputs', 'variants', 'limits').filter(
      (key) => !ofEngine.includes(key),
    );
    expect(Object.keys(WATCH).sort()).toEqual(keys);
  });
});
