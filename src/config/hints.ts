import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { orUndefined } from '../errors.ts';
import { FIELD_KEYS, FIELD_TABLE, type FieldKey } from '../variants/fields.ts';
import { FORMATS } from '../variants/formats.ts';
import { nearest } from '../variants/place.ts';
import { yesOrNo } from '../variants/values.ts';
import { isKey, type Key, longFlag, SETTINGS } from './settings.ts';

/** A setting in a hint, or `command`, and its value with and without a space before it. */
const HINT = /\{\{(\w+)( ([^}]*))?\}\}/g;

/**
 * A hint in the words of the command line: `--limit-pixels 12M` for `{{limitPixels 12M}}`, `--no-mirror` for `false`,
 * `imgtool list` for `{{command list}}`.
 */
export function hintAsFlags(hint: string): string {
  return hint.replace(HINT, (whole, key: string, _, value?: string) => {
    if (key === 'command') return `imgtool ${value}`;
    if (!isKey(key) || value === undefined) return isKey(key) ? longFlag(key) : whole;
    if (value === 'false') return `--no-${longFlag(key).slice(2)}`;
    // A flag without a value of its own takes one only after an equals sign.
    return `${longFlag(key)}${SETTINGS[key].flag.endsWith('>') ? ' ' : '='}${value}`;
  });
}

/**
 * A hint in the words of a program or a settings file: `limitPixels: '12M'` for `{{limitPixels 12M}}`, `list()` for
 * `{{command list}}`.
 */
export function hintAsOptions(hint: string): string {
  return hint.replace(HINT, (_, key: string, __, value?: string) => {
    if (key === 'command') return commandAsCall(value);
    return value === undefined ? key : `${key}: ${/^(\d+|false)$/.test(value) ? value : `'${value}'`}`;
  });
}

/** The call of the library that does what a command does. No call does what a flag asks for. */
function commandAsCall(command = ''): string {
  if (command.includes(' --')) return `imgtool ${command}`;
  const [verb = '', ...args] = command.split(' ');
  return `${verb}(${args.map((one) => `'${one}'`).join(', ')})`;
}

/** What a variant decides: the words of other programs, what they set, and an example of a variant. */
const IN_VARIANTS: readonly (readonly [words: string, what: string, example: string])[] = [
  ['width w max-width', 'width', 'hero:w=1600'],
  ['height h max-height', 'height', 'hero:h=1200'],
  ['size sizes resize max-size geometry dimensions widths', 'size', 'hero:w=1600,h=1200'],
  ['scale percent', 'scale', 'half:scale=50%'],
  ['enlarge upscale', 'size', 'hero:w=1600,enlarge'],
  ['ratio aspect aspect-ratio', 'ratio', 'hero:w=1600,ratio=16:9'],
  ['fit crop cover', 'fit', 'tile:w=400,h=400,fit=cover'],
  ['position gravity', 'position', 'tile:w=400,h=400,fit=cover,position=top'],
  ['format formats to type ext extension convert', 'format', 'hero:w=1600,format=avif'],
  ...FORMATS.map((format) => [format, 'format', `hero:w=1600,format=${format}`] as const),
  ['jpg', 'format', 'hero:w=1600,format=jpeg'],
  ['quality q', 'quality', 'hero:w=1600,q=80'],
  ['lossless', 'quality', 'hero:w=1600,lossless'],
  ['progressive interlace', 'encoding', 'hero:w=1600,format=jpeg,progressive'],
  ['chroma chroma-subsampling', 'chroma', 'hero:w=1600,format=jpeg,chroma=444'],
  ['bitdepth bit-depth', 'depth', 'hero:w=1600,format=avif,bitdepth=10'],
  ['page pages', 'page', 'hero:w=1600,page=2'],
  ['grayscale greyscale monochrome', 'colours', 'hero:w=1600,grayscale'],
  ['background flatten', 'background', 'hero:w=1600,background=#ffffff'],
];

const hasRow = (word: string) => IN_VARIANTS.some(([words]) => words.split(' ').includes(word));

/** The advice for a field without a row above, under its own name. */
function adviceOnField(key: FieldKey) {
  const { type } = FIELD_TABLE[key].in('webp');
  const value = type === yesOrNo ? '' : type.words?.map((word) => `=${word}`).at(-1);
  const advice =
    value === undefined
      ? `${key} is a field of a variant ({{variants}}): imgtool help variants`
      : `each variant has its own ${key}: {{variants hero:w=1600,${key}${value}}}`;
  return ['variants', key, advice] as const;
}

/** What other programs call a setting, and the advice for these words. The default advice names the setting. */
const ELSEWHERE: readonly (readonly [key: Key, words: string, advice?: string])[] = [
  ['out', 'o output out-dir outdir output-dir output-directory output-folder dest destination'],
  ['jobs', 'j concurrency threads parallel workers processes'],
  ['dryRun', 'dryrun simulate just-print'],
  ['exclude', 'ignore'],
  ['include', 'glob pattern filter'],
  ['force', 'overwrite'],
  ['quiet', 'silent'],
  ['limitPixels', 'limit-input-pixels max-pixels'],
  ['index', 'database db'],
  ['color', 'no-color nocolor', 'use {{color never}}'],
  ['progress', 'no-progress', 'use {{progress none}}'],
  ['mirror', 'delete prune', 'to remove the outputs of sources that are gone: {{mirror}}'],
  [
    'name',
    'template filename prefix suffix flat',
    'a template names all outputs: {{name}}, see imgtool help naming',
  ],
  ['include', 'r recursive recurse', 'leave it out: folders are always walked with all folders below them'],
  ['include', 'i input src', 'leave it out: name files and folders without a flag'],
  ['include', 'watch', 'to render what arrives later: imgtool watch <dir…>'],
  ['variants', 'strip strip-metadata', 'leave it out: metadata is always removed'],
  ['variants', 'auto-orient autorotate', 'leave it out: outputs are always upright'],
  ['variants', 'without-enlargement', 'leave it out: images are never enlarged'],
  ...IN_VARIANTS.map(([words, what, example]) => {
    return ['variants', words, `each variant has its own ${what}: {{variants ${example}}}`] as const;
  }),
  ...FIELD_KEYS.filter((key) => !hasRow(key) && !isKey(key)).map(adviceOnField),
];

/** What other programs call a flag that is no setting. */
const FLAGS_ELSEWHERE = {
  '--files-from': 'from-file from-files file-list filelist input-list input-file file files list T',
  '--nul': 'null print0 z',
  '--limit': 'n max max-count count number',
};

/** Advice for a word of other programs: for `quality`, how a variant names it. */
export interface Advice {
  readonly word: string;
  /** The flag that the advice needs. */
  readonly flag: string;
  /** A hint. */
  readonly text: string;
}

const adviceOn = (words: string, flag: string, text: string): Advice[] =>
  words.split(' ').map((word) => ({ word, flag, text }));

/** The advice on words for settings. */
const onSettings = () =>
  ELSEWHERE.flatMap(([key, words, text = `use {{${key}}}`]) => adviceOn(words, longFlag(key), text));

/** All advice. It needs a flag that the caller can check for. */
export function allAdvice(): readonly Advice[] {
  const onFlags = Object.entries(FLAGS_ELSEWHERE).flatMap(([flag, words]) =>
    adviceOn(words, flag, `use ${flag}`),
  );
  return [...onSettings(), ...onFlags];
}

/** The advice for a setting of exactly this word, also in camelCase or with underscores. */
export function adviceFor(word: string): string | undefined {
  const plain = word
    .replace(/[a-z](?=[A-Z])/g, '$&-')
    .replaceAll('_', '-')
    .toLowerCase();
  return onSettings().find((one) => one.word === plain)?.text;
}

/** The existing path that a mistyped one most likely means, relative if `given` is relative. Undefined without a near one. */
export function nearPath(given: string, cwd: string): string | undefined {
  const [above, name] = [path.dirname(given), path.basename(given)];
  if (existsSync(path.resolve(cwd, given)) || above === given) return given;
  const folder = nearPath(above, cwd);
  const names = folder && orUndefined(() => readdirSync(path.resolve(cwd, folder)));
  if (folder === undefined || !names) return undefined;
  // A camera numbers its files: IMG_2042.jpg is not a mistyped IMG_2041.jpg.
  const letters = (text: string) => text.replace(/\d+/g, '#');
  const others = names.filter((one) => letters(one) !== letters(name));
  // Of names that are equally near, the shortest: a.db before a.db-wal.
  const near = names.includes(name)
    ? name
    : nearest(
        name,
        others.sort((a, b) => a.length - b.length),
      );
  return near && path.join(folder, near);
}
