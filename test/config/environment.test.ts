import { fstatSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { terminalTraits } from '../../src/config/environment.ts';

describe('the traits of the terminal', () => {
  it.each([
    [{}, { noColor: false, dumb: false, unicode: false, journal: false, ci: false }],
    [
      { NO_COLOR: '1', TERM: 'dumb', CI: 'true' },
      { noColor: true, dumb: true, ci: true },
    ],
    [
      { NO_COLOR: '', CI: 'false' },
      { noColor: false, ci: false },
    ],
    [{ LANG: 'de_DE.UTF-8' }, { unicode: true }],
    [{ LANG: 'C.utf8' }, { unicode: true }],
    [{ LANG: 'de_DE.UTF-8', LC_ALL: 'C' }, { unicode: false }],
    [{ LANG: 'C', LC_CTYPE: 'en_US.UTF-8' }, { unicode: true }],
    [{ JOURNAL_STREAM: '1:2' }, { journal: false }],
  ])('of %j are %j', (env, traits) => {
    expect(terminalTraits(env, 'linux')).toMatchObject(traits);
  });

  it('name the journal where JOURNAL_STREAM is standard error', () => {
    const { dev, ino } = fstatSync(2, { bigint: true });
    expect(terminalTraits({ JOURNAL_STREAM: `${dev}:${ino}` }, 'linux').journal).toBe(true);
  });

  it('say Unicode where a Mac names no locale', () => {
    expect(terminalTraits({}, 'darwin').unicode).toBe(true);
  });
});
