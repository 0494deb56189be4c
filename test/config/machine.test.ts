import { describe, expect, it } from 'vitest';
import { autoMemory, cores, memoryHere } from '../../src/config/machine.ts';

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

const MB = 1_000_000;
const MACHINE = { free: 4_000 * MB, total: 8_000 * MB };
const GROUP = '/sys/fs/cgroup';

/** The files of a control group of version 2, sizes in megabytes. */
const group = (
  path: string,
  max: number | 'max',
  current: number,
  more: Readonly<Record<string, string>> = {},
) => ({
  [`${path}/memory.max`]: max === 'max' ? 'max\n' : `${max * MB}\n`,
  [`${path}/memory.current`]: `${current * MB}\n`,
  ...more,
});

describe('the memory a process can have', () => {
  it.each<[string, Readonly<Record<string, string>>, number, number]>([
    ['no word of the system', {}, 4_000, 8_000],
    ['what the kernel calls available', { '/proc/meminfo': meminfo(1_024_000) }, 1_048.576, 8_000],
    ['nothing available', { '/proc/meminfo': meminfo(0) }, 0, 8_000],
    ['a group without a limit', group(GROUP, 'max', 900), 4_000, 8_000],
    ['a group with one', group(GROUP, 1_000, 300), 700, 1_000],
    [
      'files in the cache of the group, which are given back',
      group(GROUP, 1_000, 900, {
        [`${GROUP}/memory.stat`]: `anon 1\nactive_file 7\ninactive_file ${500 * MB}\nslab 3\n`,
      }),
      600,
      1_000,
    ],
    [
      'a mark above which the group is slowed down',
      group(GROUP, 2_000, 300, { [`${GROUP}/memory.high`]: `${500 * MB}\n` }),
      200,
      500,
    ],
    ['a group that is over its limit', group(GROUP, 1_000, 1_100), 0, 1_000],
    ['a limit above what the machine has', group(GROUP, 64_000, 300), 4_000, 8_000],
    [
      'a limit on the own group',
      { '/proc/self/cgroup': '1:memory:/old\n0::/a/b\n', ...group(`${GROUP}/a/b`, 1_000, 300) },
      700,
      1_000,
    ],
    [
      'a tighter one above it, which others use too',
      {
        '/proc/self/cgroup': '0::/a/b\n',
        ...group(`${GROUP}/a/b`, 1_000, 300),
        ...group(`${GROUP}/a`, 1_500, 1_400),
      },
      100,
      1_000,
    ],
    [
      'a group of version 1',
      {
        '/proc/self/cgroup': '9:name=systemd:/\n4:cpu,memory:/a\n0::/\n',
        [`${GROUP}/memory/a/memory.limit_in_bytes`]: `${1_000 * MB}\n`,
        [`${GROUP}/memory/a/memory.usage_in_bytes`]: `${900 * MB}\n`,
        [`${GROUP}/memory/a/memory.stat`]: `inactive_file 1\ntotal_inactive_file ${200 * MB}\n`,
        [`${GROUP}/memory/memory.limit_in_bytes`]: '9223372036854771712\n',
      },
      300,
      1_000,
    ],
    ['files that make no sense', { [`${GROUP}/memory.max`]: 'what', '/proc/meminfo': 'what' }, 4_000, 8_000],
  ])('is told by %s', (_, texts, free, total) => {
    expect(memoryHere(MACHINE, files(texts))).toEqual({ free: free * MB, total: total * MB });
  });

  it('is something here', () => {
    const { free, total } = memoryHere();
    expect(free).toBeGreaterThan(0);
    expect(total).toBeGreaterThanOrEqual(free);
  });
});

it.each([
  ['half of what is free', 4_000 * MB, 2_000 * MB],
  ['whole megabytes', 1_001 * MB + 5, 500 * MB],
  ['enough for one photograph, however little is free', 0, 64 * MB],
])('pictures get %s', (_, free, expected) => {
  expect(autoMemory({ free }).memory).toBe(expected);
});

it.each([
  ['80 % of what is free', 4_000 * MB, 3_200 * MB],
  ['whole megabytes', 1_001 * MB, 800 * MB],
  ['what all together get where that is more', 70 * MB, 64 * MB],
])('one picture gets %s', (_, free, expected) => {
  expect(autoMemory({ free }).memoryCap).toBe(expected);
});

function meminfo(available: number): string {
  return `MemTotal:       99999999 kB\nMemFree:             7 kB\nMemAvailable:   ${available} kB\nBuffers: 3 kB\n`;
}
