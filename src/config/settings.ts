import { fullVariant, type LooseVariant } from '../presets.ts';
import { MOST_EFFORT } from './effort.ts';
import { choice, type Later, later, type Reader, textOf, textsOf, yesOrNo } from './plain.ts';
import { shortAmount, showDuration, showSize } from './show.ts';
import { specOf } from './spec.ts';
import { PLACEHOLDERS } from './template.ts';

/** The settings as read; the keys are those of `.imgtoolrc`. */
export interface Values {
  readonly out: string;
  readonly preset: string;
  /** As written: what a variant leaves open, other settings may say. */
  readonly variants: readonly LooseVariant[];
  /** 0 to 10, cut to what a format has; null: each variant's own. */
  readonly effort: number | null;
  readonly name: string;
  readonly duplicates: 'link' | 'copy' | 'skip';
  readonly force: boolean;
  readonly dryRun: boolean;
  readonly allFiles: boolean;
  readonly followSymlinks: boolean;
  readonly ignoreCtime: boolean;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** Null: as many as there are cores. */
  readonly jobs: number | null;
  /** Bytes; null: half of what is free. */
  readonly memory: number | null;
  /** Pixels of one frame. */
  readonly limitPixels: number;
  readonly allowSvg: boolean;
  readonly lenient: boolean;
  /** Milliseconds, written in seconds. */
  readonly timeout: number;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly progress: 'auto' | 'bar' | 'plain' | 'none';
  readonly color: 'auto' | 'always' | 'never';
  readonly existing: boolean;
  /** Milliseconds. */
  readonly settle: number;
  /** Milliseconds, written in seconds. */
  readonly scanInterval: number;
  readonly poll: boolean;
  readonly mirror: boolean;
  readonly once: boolean;
  /** Null: the place made for it on this system. */
  readonly index: string | null;
}

export type Key = keyof Values;

/**
 * Parts of the help, in this order. Lists of inputs are for commands that end, watching for the one that does not; how
 * work is displayed is for those that work on pictures.
 */
export const GROUPS = {
  watch: 'Watching:',
  inputs: 'Inputs:',
  lists: 'Inputs:',
  outputs: 'Outputs:',
  limits: 'Limits:',
  work: 'Display:',
  display: 'Display:',
  settings: 'Settings:',
} as const;
export type Group = keyof typeof GROUPS;

interface Setting<T> {
  /** As commander takes it: `-n, --dry-run`, `--jobs <n>`. */
  readonly flag: string;
  readonly group: Group;
  /** One line of help. */
  readonly about: string;
  readonly initial: T;
  readonly read: Reader<T> | Later<T>;
  /** The value as a person would write it, where `String` does not. */
  readonly show?: (value: T) => string;
}

/** A choice nobody made. */
const OFF = { initial: false, read: yesOrNo };

const list = (values: readonly string[]) => values.join('; ') || 'none';

/** The one table: flags, environment, files, help, `imgtool config` and checks all come from here. */
export const SETTINGS: { readonly [K in Key]: Setting<Values[K]> } = {
  existing: {
    flag: '--existing',
    group: 'watch',
    about: 'leave what is there at the start; take what lands',
    initial: true,
    read: yesOrNo,
  },
  settle: {
    flag: '--settle <ms>',
    group: 'watch',
    about: 'how long a file must rest before it is taken; 2s is two seconds',
    initial: 500,
    read: later(({ duration }) => duration('ms', 10, 600_000)),
    show: showDuration,
  },
  scanInterval: {
    flag: '--scan-interval <seconds>',
    group: 'watch',
    about: 'time between walks through everything, give or take a quarter; 10m is ten minutes',
    initial: 600_000,
    read: later(({ duration }) => duration('s', 100, 7 * 86_400_000)),
    show: showDuration,
  },
  poll: {
    flag: '--poll',
    group: 'watch',
    about: 'walk often instead of waiting for word from the system',
    ...OFF,
  },
  mirror: {
    flag: '--mirror',
    group: 'watch',
    about: 'remove the outputs of sources that are removed',
    ...OFF,
  },
  once: {
    flag: '--once',
    group: 'watch',
    about: 'end when nothing is left to do, for cron',
    ...OFF,
  },
  include: {
    flag: '--include <glob>',
    group: 'inputs',
    about: 'take only files whose path below the folder matches; repeatable',
    initial: [],
    read: textsOf('a glob'),
    show: list,
  },
  exclude: {
    flag: '--exclude <glob>',
    group: 'inputs',
    about: 'pass over files whose path below the folder matches; repeatable',
    initial: [],
    read: textsOf('a glob'),
    show: list,
  },
  allFiles: {
    flag: '--all-files',
    group: 'inputs',
    about: 'let the bytes of every file decide, not only those named like pictures',
    ...OFF,
  },
  followSymlinks: {
    flag: '--follow-symlinks',
    group: 'inputs',
    about: 'follow links that stay inside the folder',
    ...OFF,
  },
  ignoreCtime: {
    flag: '--ignore-ctime',
    group: 'inputs',
    about: 'compare size, time and inode of sources, not the time their inode changed',
    ...OFF,
  },
  out: {
    flag: '--out <dir>',
    group: 'outputs',
    about: 'folder of the outputs',
    initial: 'imgtool-out',
    read: textOf('a folder'),
  },
  preset: {
    flag: '--preset <name>',
    group: 'outputs',
    about: 'named list of variants, see `imgtool presets`',
    initial: 'web',
    read: textOf('the name of a preset'),
  },
  variants: {
    flag: '--variant <spec>',
    group: 'outputs',
    about: 'a variant such as hero:w=1600,format=avif,q=55, added to --preset where one is named; repeatable',
    initial: [],
    read: later(({ readVariants }) => readVariants),
    show: (variants) => list(variants.map((variant) => specOf(fullVariant(variant)))),
  },
  effort: {
    flag: '--effort <n>',
    group: 'outputs',
    about: `how hard encoders try, from 0, fastest, to ${MOST_EFFORT}, smallest; auto is each variant's own`,
    initial: null,
    read: later(({ wholeNumberOr }) => wholeNumberOr('auto', 0, MOST_EFFORT)),
    show: (effort) => String(effort ?? 'auto'),
  },
  name: {
    flag: '--name <template>',
    group: 'outputs',
    about: `path of an output below --out, of ${PLACEHOLDERS.map((word) => `{${word}}`).join(' ')}`,
    initial: '{dir}/{name}_{variant}.{ext}',
    read: textOf('a template'),
  },
  duplicates: {
    flag: '--duplicates <way>',
    group: 'outputs',
    about: 'outputs of a source with the bytes of another: link, copy or skip',
    initial: 'link',
    read: choice(['link', 'copy', 'skip']),
  },
  force: {
    flag: '--force',
    group: 'outputs',
    about: 'render again, and replace files the index does not know',
    ...OFF,
  },
  dryRun: {
    flag: '-n, --dry-run',
    group: 'outputs',
    about: 'say what would be done and write nothing',
    ...OFF,
  },
  jobs: {
    flag: '--jobs <n>',
    group: 'limits',
    about: 'images at a time; auto is the cores this process may use',
    initial: null,
    read: later(({ wholeNumberOr }) => wholeNumberOr('auto', 1, 1024)),
    show: (jobs) => String(jobs ?? 'auto'),
  },
  memory: {
    flag: '--memory <size>',
    group: 'limits',
    about:
      'memory that pictures in work may take, together and each, such as 2G; auto is half of what is free',
    initial: null,
    read: later(({ sizeOr }) => sizeOr('auto', 16_000_000)),
    show: (memory) => (memory === null ? 'auto' : showSize(memory)),
  },
  limitPixels: {
    flag: '--limit-pixels <n>',
    group: 'limits',
    about: 'largest frame of a source, in pixels',
    initial: 268_000_000,
    read: later(({ count }) => count),
    show: (pixels) => shortAmount(pixels),
  },
  timeout: {
    flag: '--timeout <seconds>',
    group: 'limits',
    about: 'longest an image may take',
    initial: 120_000,
    read: later(({ duration }) => duration('s', 100, 86_400_000)),
    show: showDuration,
  },
  allowSvg: {
    flag: '--allow-svg',
    group: 'limits',
    about: 'render SVG, which is a program more than a picture',
    ...OFF,
  },
  lenient: {
    flag: '--lenient',
    group: 'limits',
    about: 'accept damaged pictures as far as they can be decoded',
    ...OFF,
  },
  json: { flag: '--json', group: 'display', about: 'JSON on stdout', ...OFF },
  quiet: { flag: '-q, --quiet', group: 'work', about: 'only errors', ...OFF },
  verbose: {
    flag: '-v, --verbose',
    group: 'work',
    about: 'a line for every image, and where the time went',
    ...OFF,
  },
  progress: {
    flag: '--progress <way>',
    group: 'work',
    about: 'auto, bar, plain or none',
    initial: 'auto',
    read: choice(['auto', 'bar', 'plain', 'none']),
  },
  color: {
    flag: '--color <when>',
    group: 'display',
    about: 'auto, always or never',
    initial: 'auto',
    read: choice(['auto', 'always', 'never']),
  },
  index: {
    flag: '--index <file>',
    group: 'settings',
    about: 'the record of what was made',
    initial: null,
    read: textOf('a file'),
    show: (file) => file ?? 'in the state folder of the user',
  },
};
