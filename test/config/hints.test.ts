import { describe, expect, it } from 'vitest';
import { hintAsFlags, hintAsOptions } from '../../src/config/flags.ts';

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
