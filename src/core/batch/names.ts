import { createHash } from 'node:crypto';
import { basename, join, posix, sep } from 'node:path';
import type { BatchOptions, Variant } from '../../model.ts';
import { EXTENSIONS } from '../../variants/fields.ts';
import { onceFor } from './once.ts';

/** The longest name of a file or folder in bytes, on every file system in common use. */
const LONGEST = 255;

const SUFFIXES: readonly ((found: Named) => string)[] = [
  () => '',
  ({ relative }) => tag(relative),
  ({ source }) => tag(source),
];

type Named = { readonly source: string; readonly relative: string };

/**
 * The lists of output paths a source may get, one path a variant, best first: the plain names; told apart from another
 * source's by `~` and 8 hex digits of the SHA-256 of the root-relative path; and, should two roots hold the same
 * relative path, of the absolute one.
 */
export function candidateNames(found: Named, options: BatchOptions): string[][] {
  return SUFFIXES.map((suffix) => namesWith(suffix(found), found, options));
}

/** The first of them. */
export function plainNames(found: Named, options: BatchOptions): string[] {
  return namesWith('', found, options);
}

/**
 * What two output paths have in common that a case-folding, normalising disk (APFS, NTFS) takes for one, so that outputs
 * made on one disk fit on any. Upper case comes first: some letters (ß) have no single lower-case partner.
 */
export function foldName(path: string): string {
  if (ASCII.test(path)) return path.toLowerCase();
  return path.normalize('NFC').toUpperCase().toLowerCase().normalize('NFC');
}

/** In such a path only capitals change. */
const ASCII = /^[\x00-\x7f]*$/;

/** The output paths of the candidate a job was given; undefined when every candidate was taken. */
export function namesOf(job: Named & { naming: number }, options: BatchOptions): string[] | undefined {
  const suffix = SUFFIXES[job.naming];
  return suffix === undefined ? undefined : namesWith(suffix(job), job, options);
}

/** Which candidate an output's path comes from; undefined for a plain name, which holds no tag of this source. */
export function taggedNaming(path: string, found: Named, { out }: BatchOptions): number | undefined {
  const below = path.slice(out.length);
  const naming = SUFFIXES.findIndex((suffix, i) => i > 0 && below.includes(suffix(found)));
  return naming < 0 ? undefined : naming;
}

function tag(path: string): string {
  return `~${createHash('sha256').update(path).digest('hex').slice(0, 8)}`;
}

function namesWith(suffix: string, { relative }: Named, options: BatchOptions): string[] {
  const { out, patterns } = namePatternsOf(options);
  const { dir, name } = posix.parse(relative);
  const render = (stem: string) => patterns.map((pattern) => contained(fill(pattern, dir, stem + suffix)));
  const paths = render(name);
  const tooLong = Math.max(...paths.map(longestExcess));
  const fitting = tooLong > 0 ? render(cut(name, Buffer.byteLength(name) - tooLong)) : paths;
  return fitting.map((path) => out + (sep === '/' ? path : path.replaceAll('/', sep)));
}

/** A template filled with all that is the same for every source: what stands before each hole, and the hole. */
type Pattern = readonly { readonly text: string; readonly hole: 'dir' | 'name' | null }[];

interface NamePatterns {
  /** With a separator at its end. */
  readonly out: string;
  /** Of each variant. */
  readonly patterns: readonly Pattern[];
}

const namePatternsOf = onceFor(
  (options: BatchOptions): NamePatterns => ({
    out: join(options.out, '_').slice(0, -1),
    patterns: options.preset.variants.map((variant) => patternOf(options, variant)),
  }),
);

function patternOf({ template, preset }: BatchOptions, variant: Variant): Pattern {
  const values: Record<string, string> = {
    variant: variant.name,
    ext: EXTENSIONS[variant.format],
    format: variant.format,
    preset: preset.name,
  };
  const filled = template.split(/\{(dir|name)\}/);
  return filled.flatMap((text, i) => {
    if (i % 2 === 1) return [];
    const hole = filled[i + 1] ?? null;
    const known = text.replace(/\{(\w+)\}/g, (whole, key: string) => values[key] ?? whole);
    return [{ text: known, hole: hole as 'dir' | 'name' | null }];
  });
}

function fill(pattern: Pattern, dir: string, name: string): string {
  let path = '';
  for (const { text, hole } of pattern) {
    path += text;
    if (hole !== null) path += hole === 'dir' ? dir : name;
  }
  return path;
}

/** Whether the template can yield the file name of this path, which lies below the output folder, for some source. */
export function isOutputName(path: string, options: BatchOptions): boolean {
  if (!path.startsWith(namePatternsOf(options).out)) return false;
  const name = basename(path);
  return shapesOf(options).some((shape) => shape.test(name));
}

/** What the template says of the last segment of a path, for each variant. */
const shapesOf = onceFor((options: BatchOptions) =>
  namePatternsOf(options).patterns.map((pattern) => {
    const shape = pattern
      .map(({ text, hole }) => escaped(text) + (hole === null ? '' : hole === 'dir' ? '.*' : '.+'))
      .join('');
    return new RegExp(`^${shape.slice(shape.lastIndexOf('/') + 1)}$`, 's');
  }),
);

function escaped(text: string): string {
  return text.replace(/[^\w/]/gu, '\\$&');
}

/** A segment that is empty, or means this folder or the one above. */
const NO_NAME = /(^|\/)\.{0,2}(\/|$)/;

/** No name leads out of the output folder: a picture called `..` loses its power as a path. */
function contained(path: string): string {
  if (!NO_NAME.test(path)) return path;
  return path
    .split('/')
    .filter((segment) => segment !== '')
    .map((segment) => (segment === '.' || segment === '..' ? `${segment}~` : segment))
    .join('/');
}

function longestExcess(path: string): number {
  const most = Buffer.byteLength(path) - LONGEST;
  if (most <= 0) return most;
  return Math.max(...path.split('/').map((segment) => Buffer.byteLength(segment) - LONGEST));
}

/** The longest beginning of whole characters within so many bytes. */
function cut(text: string, bytes: number): string {
  let kept = '';
  let used = 0;
  for (const character of text) {
    used += Buffer.byteLength(character);
    if (used > bytes) break;
    kept += character;
  }
  return kept;
}
