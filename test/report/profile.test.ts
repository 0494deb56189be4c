import { describe, expect, it } from 'vitest';
import { profileLines } from '../../src/report/profile.ts';
import { PROFILE } from './samples.ts';

describe('a profile as a table', () => {
  it('has a row with a share for everything that took time or was called', () => {
    expect(profileLines(PROFILE)).toEqual([
      'profile of 7.5s           ms  share   calls',
      'parent, CPU            540     7%',
      '  start                250     3%',
      '  busy                 360     4%',
      '  index                 60     0%     183  settle 40, take 20',
      '  storage              375     5%      60  commit 375',
      '  sources                0     0%       1',
      '  report                12     0%     122  job 11, walk 1',
      'children, CPU       13,402    89%       2',
      '  none yet             200     1%',
      '  starting             500     3%',
      '  read and digest      170     1%      60',
      '  header               130     0%',
      '  decode             4,800    32%      60',
      '  encode             8,400    56%     180  resize 750, color 60, write 30',
      '  other                 10     0%',
      '  messages             100     0%',
      '  held                 560     3%          after 400, before 160',
      '  idle                 130     0%          between 90, last 40, release 6',
    ]);
  });

  it('accounts for all the time that children had', () => {
    const shown = profileLines(PROFILE);
    const rows = shown.slice(shown.findIndex((row) => row.startsWith('children')) + 1);
    const ms = rows.map((row) => Number(row.slice(18, 26).replaceAll(',', '')));
    expect(ms.reduce((sum, one) => sum + one, 0)).toBe(PROFILE.jobs * PROFILE.ms);
  });

  it('has no rows for children when none was started', () => {
    const none = { ...PROFILE.children, started: 0 };
    expect(profileLines({ ...PROFILE, children: none }).join('\n')).not.toContain('children');
  });

  it('names the slowest parts of a row, as many as fit', () => {
    const parts = Array.from({ length: 20 }, (_, at) => [`part${at}`, { calls: 1, ms: at * 10 }] as const);
    const index = { calls: 20, ms: 1_900, of: Object.fromEntries(parts) };
    const lines = profileLines({ ...PROFILE, parent: { ...PROFILE.parent, index } });
    expect(lines[4]?.slice(43)).toBe('part19 190, part18 180, part17 170');
    expect(Math.max(...lines.map((row) => row.length))).toBeLessThanOrEqual(78);
  });
});
