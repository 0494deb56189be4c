import { createHash } from 'node:crypto';
import { join, posix } from 'node:path';
import type { BatchOptions, Format, Variant } from '../model.ts';

/** The longest name of a file or folder in bytes, on every file system in common use. */
const LONGEST = 255;

const EXTENSIONS: Record<Format, string> = { webp: 'webp', jpeg: 'jpg', png: 'png', avif: 'avif' };

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

/** The output paths of the candidate a job was given; undefined when every candidate was taken. */
export function namesOf(job: Named & { naming: number }, options: BatchOptions): string[] | undefined {
  const suffix = SUFFIXES[job.naming];
  return suffix === undefined ? undefined : namesWith(suffix(job), job, options);
}

function tag(path: string): string {
  return `~${createHash('sha256').update(path).digest('hex').slice(0, 8)}`;
}

function namesWith(suffix: string, { relative }: Named, options: BatchOptions): string[] {
  const dir = posix.dirname(relative);
  const { name } = posix.parse(relative);
  const render = (stem: string) =>
    options.preset.variants.map((variant) =>
      contained(fill(options.template, variant, dir === '.' ? '' : dir, stem + suffix, options.preset.name)),
    );
  const tooLong = Math.max(...render(name).map(longestExcess));
  const stem = tooLong > 0 ? cut(name, Buffer.byteLength(name) - tooLong) : name;
  return render(stem).map((path) => join(options.out, path));
}

function fill(template: string, variant: Variant, dir: string, name: string, preset: string): string {
  const values: Record<string, string> = {
    dir,
    name,
    variant: variant.name,
    ext: EXTENSIONS[variant.format],
    format: variant.format,
    preset,
  };
  return template.replace(/\{(\w+)\}/g, (whole, key: string) => values[key] ?? whole);
}

/** No name leads out of the output folder: a picture called `..` loses its power as a path. */
function contained(path: string): string {
  return path
    .split('/')
    .filter((segment) => segment !== '')
    .map((segment) => (segment === '.' || segment === '..' ? `${segment}~` : segment))
    .join('/');
}

function longestExcess(path: string): number {
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
