import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { adviceFor, allAdvice, hintAsFlags, hintAsOptions, nearPath } from '../../src/config/hints.ts';
import { KEYS } from '../../src/config/settings.ts';
import { loadConfig } from '../../src/config.ts';
import { hintForUploads } from '../../src/model/failures.ts';
import { makePlace } from '../place.ts';

describe('a hint', () => {
  const hint = 'choose another {{out}}, or raise it with {{limitPixels 12M}} or {{jobs 1}}';

  it('names flags on the command line', () => {
    expect(hintAsFlags(hint)).toBe('choose another --out, or raise it with --limit-pixels 12M or --jobs 1');
  });

  it('joins a flag that takes no next word to its value', () => {
    expect(hintAsFlags('really gone: {{mirror all}}')).toBe('really gone: --mirror=all');
    expect(hintAsOptions('really gone: {{mirror all}}')).toBe("really gone: mirror: 'all'");
    expect(hintAsFlags('or {{mirror false}}')).toBe('or --no-mirror');
    expect(hintAsOptions('or {{mirror false}}')).toBe('or mirror: false');
  });

  it('name a command, or the call of the library that does the same', () => {
    const hint =
      '{{command status 3f2a --watch}} shows it, {{command cancel 3f2a}} stops it, {{command list}} all';
    expect(hintAsFlags(hint)).toBe(
      'imgtool status 3f2a --watch shows it, imgtool cancel 3f2a stops it, imgtool list all',
    );
    expect(hintAsOptions(hint)).toBe(
      "imgtool status 3f2a --watch shows it, cancel('3f2a') stops it, list() all",
    );
  });

  it('names options in a program', () => {
    expect(hintAsOptions(hint)).toBe("choose another out, or raise it with limitPixels: '12M' or jobs: 1");
  });

  it.each([
    [
      'raise it with {{limitPixels 12M}}',
      'for the operator of the service: raise it with --limit-pixels 12M',
    ],
    ['save it first, or leave it out with {{exclude}}', 'save it first'],
    ['leave it out with {{exclude}}, or give it the extension of what it is', 'upload another file'],
    ['send less, or raise {{maxUpload}}', 'send less; for the operator of the service: raise --max-upload'],
    ['run the same command again once it is whole', 'upload it again once it is whole'],
    ['check the first; look, or not', 'check the first; look, or not'],
  ])('about an upload is for its client, or says that it is for the operator: %s', (hint, words) => {
    expect(hintAsFlags(hintForUploads(hint))).toBe(words);
  });

  it('keeps what is no setting', () => {
    expect(hintAsFlags('look into {{nothing}} and {out}')).toBe('look into {{nothing}} and {out}');
  });
});

describe('the advice for words of other programs', () => {
  it('has each word once, and no word that is a setting already', () => {
    const words = allAdvice().map(({ word }) => word);
    expect(new Set(words).size).toBe(words.length);
    expect(words.filter((word) => KEYS.some((key) => key === word))).toEqual([]);
  });

  it('shows only variants that can be read', async () => {
    const specs = allAdvice().flatMap(({ text }) => /\{\{variants (.*)\}\}/.exec(text)?.[1] ?? []);
    expect(specs.length).toBeGreaterThan(10);
    for (const spec of new Set(specs)) {
      const { preset } = await loadConfig({ flags: { variants: [spec], config: false }, cwd: '/', env: {} });
      expect(preset.variants).toHaveLength(1);
    }
  });

  it.each(['outputDir', 'output_dir', 'OUTPUT-DIR'])('is the same for the spelling %s', (word) => {
    expect(adviceFor(word)).toBe('use {{out}}');
  });
});

describe('the existing path that is nearest', () => {
  let place: string;
  beforeEach(() => {
    place = makePlace();
    mkdirSync(join(place, 'photos/summer'), { recursive: true });
    for (const name of ['photos/summer/beach.jpg', 'photos/IMG_2041.jpg', 'a.db-wal', 'a.db', 'list.txt']) {
      writeFileSync(join(place, name), '');
    }
  });

  it.each([
    ['fotos', 'photos'],
    ['./photo/', 'photos'],
    ['photo/sumer/beech.jpg', 'photos/summer/beach.jpg'],
    ['photos/summer/beach.jpeg', 'photos/summer/beach.jpg'],
    ['lits.txt', 'list.txt'],
    ['aa.db', 'a.db'],
    ['photos', 'photos'],
    ['photos/IMG_2042.jpg', undefined],
    ['photos/winter', undefined],
    ['list.txt/x', undefined],
    ['', ''],
  ])('to %j is %j', (given, near) => {
    expect(nearPath(given, place)).toBe(near);
    if (given !== '') expect(nearPath(join(place, given), '/')).toBe(near && join(place, near));
  });
});
