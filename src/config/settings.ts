import type { Mirroring } from '../model.ts';
import type { LooseVariant } from '../variants/fields.ts';
import { MOST_EFFORT } from '../variants/formats.ts';
import { keepType, stampType } from '../variants/keeps.ts';
import { wrong } from '../variants/place.ts';
import type { Scalar, ValueType } from '../variants/values.ts';
import { choice, orWord, text, texts, wholeNumber, yesNoOr, yesOrNo } from '../variants/values.ts';
import { KEEPS, NOTHING } from '../variants/words.ts';
import { variantsType } from '../variants/written.ts';
import { amountType, durationType, sizeType } from './quantities.ts';
import { SERVICE } from './service.ts';
import { PLACEHOLDERS } from './template.ts';

/** Groups of the help, in this order. `lists` is for commands that end by themselves, `work` for those that render. */
export const GROUPS = {
  watch: 'Watching:',
  inputs: 'Inputs:',
  lists: 'Inputs:',
  outputs: 'Outputs:',
  /** Of `outputs`, what the service can have too: which variants are made, and with which metadata. */
  variants: 'Outputs:',
  serve: 'Service:',
  /** Of `serve`, what `imgtool token` needs too. */
  tokens: 'Service:',
  limits: 'Limits:',
  work: 'Display:',
  display: 'Display:',
  settings: 'Settings:',
} as const;
export type Group = keyof typeof GROUPS;

interface Setting<T> {
  /** In commander's syntax: `-n, --dry-run`, `--jobs <n>`. */
  readonly flag: string;
  readonly group: Group;
  /** One line of help. */
  readonly about: string;
  readonly initial: T;
  readonly type: ValueType<T>;
}

function setting<T>(group: Group, flag: string, about: string, rest: Pick<Setting<T>, 'initial' | 'type'>) {
  return { group, flag, about, ...rest };
}

function toggle(group: Group, flag: string, about: string, initial = false): Setting<boolean> {
  return { group, flag, about, initial, type: yesOrNo };
}

/** One of some words. The first is the default. */
function oneOf<const W extends string>(group: Group, flag: string, about: string, words: [W, ...W[]]) {
  return setting<W>(group, flag, about, { initial: words[0], type: choice(words) });
}

/** A glob that leaves its folder, or names nothing in it, can never match. */
const CANNOT_MATCH = /(^|[/\\])\.\.([/\\]|$)|^[./\\]*$/;
const GLOBS = texts('a glob');

const globsType: ValueType<readonly string[]> = {
  ...GLOBS,
  read(raw, place) {
    const all = GLOBS.read(raw, place);
    const bad = all.find((glob) => CANNOT_MATCH.test(glob));
    if (bad === undefined) return all;
    const fix = 'for example *.png, drafts/ or 2024/**';
    throw wrong(place, 'a glob for paths below the folder', bad, { fix });
  },
};

function globs(flag: string, about: string) {
  return setting<readonly string[]>('inputs', flag, about, { initial: [], type: globsType });
}

const PRESET = text('the name of a preset');

/** One name: users try to give several presets at once. */
const presetType: Scalar<string> = {
  ...PRESET,
  read(raw, place) {
    const fix =
      'run imgtool once for each, or put the variants of all into a preset of your own: imgtool help config';
    const isList = Array.isArray(raw) || (typeof raw === 'string' && /[,;]/.test(raw));
    if (isList) throw wrong(place, 'the name of one preset', raw, { fix });
    return PRESET.read(raw, place);
  },
};

/** A setting whose null leaves the choice to the program. */
function automatic<T>(group: Group, flag: string, about: string, type: Scalar<T>) {
  return setting<T | null>(group, flag, about, { initial: null, type: orWord('auto', type) });
}

/** A text that is written into outputs. */
function stamp(flag: string, about: string) {
  return setting<string | null>('variants', flag, about, { initial: null, type: orWord(NOTHING, stampType) });
}

const WORDS = PLACEHOLDERS.map((word) => `{${word}}`).join(' ');

const TABLE = {
  existing: toggle(
    'watch',
    '--existing',
    'leave out the files that exist at the start; process those that arrive',
    true,
  ),
  /** Milliseconds. */
  settle: setting(
    'watch',
    '--settle <ms>',
    'how long a file must stay the same before it is processed; 2s is two seconds',
    { initial: 500, type: durationType('ms', 10, 600_000) },
  ),
  /** Milliseconds. Users write seconds. */
  scanInterval: setting(
    'watch',
    '--scan-interval <seconds>',
    'time between two scans of all folders, plus or minus a quarter; 10m is ten minutes',
    { initial: 600_000, type: durationType('s', 100, 7 * 86_400_000) },
  ),
  poll: toggle('watch', '--poll', 'scan often instead of waiting for change events from the system'),
  once: toggle('watch', '--once', 'exit when nothing is left to do, for cron'),
  include: globs('--include <glob>', 'take only files whose path below the folder matches; repeatable'),
  exclude: globs(
    '--exclude <glob>',
    'leave out files and folders whose path below the folder matches, such as drafts/; repeatable',
  ),
  allFiles: toggle(
    'inputs',
    '--all-files',
    'look at the bytes of every file, not only of files with the extension of an image',
  ),
  followSymlinks: toggle('inputs', '--follow-symlinks', 'follow symbolic links that stay inside the folder'),
  ignoreCtime: toggle(
    'inputs',
    '--ignore-ctime',
    'compare size, modification time and inode of sources, but not the ctime',
  ),
  out: setting('outputs', '--out <dir>', 'folder of the outputs', {
    initial: 'imgtool-out',
    type: text('a folder'),
  }),
  preset: setting('variants', '--preset <name>', 'list of variants to make, see `imgtool presets`', {
    initial: 'web',
    type: presetType,
  }),
  /** The variants as the user wrote them: other settings can still complete them. */
  variants: setting<readonly LooseVariant[]>(
    'variants',
    '--variant <spec>',
    'a variant such as hero:w=1600,format=avif,q=55; is added to a preset that is named; repeatable',
    { initial: [], type: variantsType },
  ),
  /** 0 to 10, limited to the range of each format. Null keeps the effort of each variant. */
  effort: automatic(
    'variants',
    '--effort <n>',
    `how hard the encoders try, from 0 (fastest) to ${MOST_EFFORT} (smallest); auto keeps that of each variant`,
    wholeNumber(0, MOST_EFFORT),
  ),
  keep: setting('variants', '--keep <list>', `metadata to keep: ${KEEPS.join('+')}, or ${NOTHING}`, {
    initial: NOTHING,
    type: keepType(),
  }),
  copyright: stamp('--copyright <text>', 'copyright notice to write into every output'),
  artist: stamp('--artist <text>', 'name of the artist to write into every output'),
  times: toggle('outputs', '--times', 'give each output the modification time of its source'),
  keepEdited: toggle('outputs', '--keep-edited', 'leave outputs that somebody has edited as they are'),
  name: setting('outputs', '--name <template>', `path of each output below --out, made of ${WORDS}`, {
    initial: '{dir}/{name}_{variant}.{ext}',
    type: text('a template'),
  }),
  /** A path as given. Null means each named folder, and the working folder for a list. */
  base: automatic(
    'outputs',
    '--base <dir>',
    'folder that {dir} starts from; auto is the named folder, or the working folder for --files-from',
    text('a folder'),
  ),
  duplicates: oneOf(
    'outputs',
    '--duplicates <way>',
    'outputs of a source that has the bytes of another source: link, copy or skip',
    ['link', 'copy', 'skip'],
  ),
  force: toggle(
    'outputs',
    '--force',
    'render every image again, and replace files that the index does not know',
  ),
  mirror: setting<Mirroring>(
    'outputs',
    '--mirror',
    'remove the outputs of sources that are gone; `process` also removes the outputs of dropped variants',
    { initial: false, type: yesNoOr('all') },
  ),
  outdated: toggle('outputs', '--outdated', 'render again what an older version rendered in another way'),
  dryRun: toggle('outputs', '-n, --dry-run', 'list the outputs that would be written, and write nothing'),
  /** Null means one job for each core. */
  jobs: automatic(
    'limits',
    '--jobs <n>',
    'images that are processed at a time; auto is the number of usable cores',
    wholeNumber(1, 1024),
  ),
  /** Bytes. Null means half of the free memory. */
  memory: automatic(
    'limits',
    '--memory <size>',
    'most memory for all images together and for each, such as 2G; auto is half of the free memory',
    sizeType(16_000_000),
  ),
  /** Pixels of all frames that are used. */
  limitPixels: setting(
    'limits',
    '--limit-pixels <n>',
    'most pixels of a source, in all frames that are used',
    {
      initial: 268_000_000,
      type: amountType,
    },
  ),
  /** Milliseconds. Users write seconds. */
  timeout: setting('limits', '--timeout <seconds>', 'longest time for one image', {
    initial: 120_000,
    type: durationType('s', 100, 86_400_000),
  }),
  allowSvg: toggle('limits', '--allow-svg', 'render SVG, which is more a program than an image'),
  lenient: toggle('limits', '--lenient', 'accept damaged images, as far as they can be decoded'),
  ...SERVICE,
  json: toggle('display', '--json', 'write JSON to standard output'),
  quiet: toggle('work', '-q, --quiet', 'show only errors and warnings'),
  verbose: toggle('work', '-v, --verbose', 'show a line for each image and each file that is passed over'),
  profile: toggle('work', '--profile', 'show at the end where the time went'),
  progress: oneOf('work', '--progress <way>', 'auto, bar, plain or none', ['auto', 'bar', 'plain', 'none']),
  color: oneOf('display', '--color <when>', 'auto, always or never', ['auto', 'always', 'never']),
  /** Null means the path from `defaultIndex`. */
  index: setting<string | null>('settings', '--index <file>', 'the record of what was made', {
    initial: null,
    type: { ...text('a file'), show: (file) => file ?? 'in the state folder of the user' },
  }),
};

export type Key = keyof typeof TABLE;
type SettingValue<S> = S extends Setting<infer T> ? T : never;

/** The values of all settings, by their keys in `.imgtoolrc`. */
export type Values = { readonly [K in Key]: SettingValue<(typeof TABLE)[K]> };

/** Describes every setting once, for flags, environment, files, help, `imgtool config` and JSON Schema. */
export const SETTINGS: { readonly [K in Key]: Setting<Values[K]> } = TABLE;

export const KEYS = Object.keys(SETTINGS).filter(isKey);

export function isKey(word: string): word is Key {
  return Object.hasOwn(SETTINGS, word);
}

/** Returns `--limit-pixels` for limitPixels. */
export function longFlag(key: Key): string {
  return /--[\w-]+/.exec(SETTINGS[key].flag)?.[0] ?? '';
}

/** Returns `IMGTOOL_LIMIT_PIXELS` for limitPixels. */
export function envName(key: Key): string {
  return `IMGTOOL_${longFlag(key).slice(2).replaceAll('-', '_').toUpperCase()}`;
}

/** The value as a person would write it. */
export function showValue<K extends Key>(key: K, value = SETTINGS[key].initial): string {
  const { show = String } = SETTINGS[key].type;
  return show(value);
}

/** Whether the flag may be given several times. */
export function isRepeatable(key: Key): boolean {
  return Array.isArray(SETTINGS[key].initial);
}
