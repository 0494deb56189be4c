import { expect, it } from 'vitest';
import { cores } from '../../src/config/machine.ts';

const files = (texts: Readonly<Record<string, string>>) => (path: string) => texts[path];

it.each([
  ['no control group at all', 8, {}, 8],
  ['a group without a limit', 8, { '/sys/fs/cgroup/cpu.max': 'max 100000\n' }, 8],
  ['a limit of two cores', 8, { '/sys/fs/cgroup/cpu.max': '200000 100000\n' }, 2],
  ['a limit of one and a half', 8, { '/sys/fs/cgroup/cpu.max': '150000 100000\n' }, 2],
  ['a limit of a tenth', 8, { '/sys/fs/cgroup/cpu.max': '10000 100000\n' }, 1],
  ['a limit above the cores there are', 2, { '/sys/fs/cgroup/cpu.max': '400000 100000\n' }, 2],
  [
    'a limit on the own group',
    8,
    { '/proc/self/cgroup': '1:cpu:/old\n0::/a/b\n', '/sys/fs/cgroup/a/b/cpu.max': '300000 100000' },
    3,
  ],
  [
    'a tighter one above it',
    8,
    {
      '/proc/self/cgroup': '0::/a/b\n',
      '/sys/fs/cgroup/a/cpu.max': '200000 100000',
      '/sys/fs/cgroup/a/b/cpu.max': '300000 100000',
    },
    2,
  ],
  ['a file that makes no sense', 8, { '/sys/fs/cgroup/cpu.max': 'what' }, 8],
])('with %s and %s cores', (_, available, texts, expected) => {
  expect(cores(available, files(texts))).toBe(expected);
});

it('this machine has at least one core', () => {
  expect(cores()).toBeGreaterThanOrEqual(1);
});
