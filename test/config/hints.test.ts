import { describe, expect, it } from 'vitest';
import { adviceFor, allAdvice, hintAsFlags, hintAsOptions } from '../../src/config/hints.ts';
import { KEYS } from '../../src/config/settings.ts';
import { loadConfig } from '../../src/config.ts';

describe('a hint', () => {
  const hint = 'choose another {{out}}, or raise it with {{limitPixels 12M}} or {{jobs 1}}';

  it('names flags on the command line', () => {
    expect(hintAsFlags(hint)).toBe('choose another --out, or raise it with --limit-pixels 12M or --jobs 1');
  });

  it('joins a flag that takes no next word to its value', () => {
    expect(hintAsFlags('really gone: {{mirror all}}')).toBe('really gone: --mirror=all');
    expect(hintAsOptions('really gone: {{mirror all}}')).toBe("really gone: mirror: 'all'");
  });

  it('names options in a program', () => {
    expect(hintAsOptions(hint)).toBe("choose another out, or raise it with limitPixels: '12M' or jobs: 1");
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
