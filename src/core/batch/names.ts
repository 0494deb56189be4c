import { createHash } from 'node:crypto';
import { basename, join, relative as pathBetween, posix, sep } from 'node:path';
import type { BatchOptions, Variant } from '../../model.ts';
import type { FoundSource } from '../../ports.ts';
import { EXTENSIONS } from '../../variants/formats.ts';

/** Maximum length of a file or folder name that every common file system allows, in bytes. */
const LONGEST = 255;

/** The options of a new batch on a disk that allows names of this many bytes. */
export function fittingDisk(options: BatchOptions, longestName: number): BatchOptions {
  return longestName < LONGEST ? { ...options, longestName } : options;
}

type SourcePath = { readonly source: string; readonly relative: string };

const SUFFIXES = [
  () => '',
  ({ relative }: SourcePath) => tag(relative),
  ({ source }: SourcePath) => tag(source),
];

/**
 * The lists of output paths that a source may get, best first, with one path for each variant. First come the plain
 * names. Then come names tagged with `~` and 8 hex digits of a SHA-256: of the root-relative path, and of the absolute
 * path in case two roots hold the same relative path.
 */
export function candidateNames(found: SourcePath, options: BatchOptions): string[][] {
  return SUFFIXES.map((suffix) => namesWith(suffix(found), found, options));
}

/** A found source with its names. */
export class NamedSource {
  readonly found: FoundSource;
  /** The first candidate. */
  readonly plain: readonly string[];
  readonly #options: BatchOptions;
  #candidates: readonly (readonly string[])[] | undefined;

  constructor(found: FoundSource, options: BatchOptions) {
    this.found = found;
    this.plain = namesWith('', found, options);
    this.#options = options;
  }

  /** Computed once, and only for a source that needs more than its plain names. */
  get candidates(): readonly (readonly string[])[] {
    this.#candidates ??= candidateNames(this.found, this.#options);
    return this.#candidates;
  }
}

/**
 * A key that is equal for two output paths which a case-folding, normalising disk (APFS, NTFS) treats as one. Outputs
 * with different keys fit on any disk. Upper case comes first: some letters (ß) have no single lower-case partner.
 */
export function foldName(path: string): string {
  if (ASCII.test(path)) return path.toLowerCase();
  return path.normalize('NFC').toUpperCase().toLowerCase().normalize('NFC');
}

/** In an ASCII path only capitals change. */
const ASCII = /^[\x00-\x7f]*$/;

/** The output paths of a job's candidate; undefined when other sources own every candidate. */
export function namesOf(job: SourcePath & { naming: number }, options: BatchOptions): string[] | undefined {
  const suffix = SUFFIXES[job.naming];
  return suffix === undefined ? undefined : namesWith(suffix(job), job, options);
}

/** The number of the tagged candidate that an output's path comes from; undefined for a path without this source's tag. */
export function taggedNaming(path: string, found: SourcePath, { out }: BatchOptions): number | undefined {
  const below = path.slice(out.length);
  const naming = SUFFIXES.findIndex((suffix, i) => i > 0 && below.includes(suffix(found)));
  return naming < 0 ? undefined : naming;
}

function tag(path: string): string {
  return `~${createHash('sha256').update(path).digest('hex').slice(0, 8)}`;
}

function namesWith(suffix: string, { relative }: SourcePath, options: BatchOptions): string[] {
  const { out, patterns } = namePatternsOf(options);
  const { longestName: longest = LONGEST } = options;
  const { dir: folders, name } = posix.parse(relative);
  const dir = longest < LONGEST ? folders.replace(/[^/]+/g, (folder) => cut(folder, longest)) : folders;
  let tooLong = 0;
  const render = (stem: string) => {
    const paths: string[] = [];
    for (const pattern of patterns) {
      const path = contained(fill(pattern, dir, stem + suffix));
      tooLong = Math.max(tooLong, longestExcess(path, longest));
      paths.push(out + (sep === '/' ? path : path.replaceAll('/', sep)));
    }
    return paths;
  };
  const paths = render(name);
  return tooLong > 0 ? render(cut(name, Buffer.byteLength(name) - tooLong)) : paths;
}

/** An output path as a user would write it. */
export function pathAsGiven(path: string, options: BatchOptions): string {
  const { out, outGiven } = namePatternsOf(options);
  if (path.startsWith(out)) return outGiven + path.slice(out.length);
  return join(options.outGiven, pathBetween(options.out, path));
}

/** A template in parts. Those at odd positions are the names of its unfilled placeholders: `dir` or `name`. */
type Pattern = readonly string[];

interface NamePatterns {
  /** The output folder, absolute and as given, with a separator at its end. */
  readonly out: string;
  readonly outGiven: string;
  /** One for each variant, and an expression for the last segment of its paths. */
  readonly patterns: readonly Pattern[];
  readonly shapes: readonly RegExp[];
}

const known = new WeakMap<BatchOptions, NamePatterns>();

/** Computed once for the options of a batch, not for each of its many thousand sources. */
function namePatternsOf(options: BatchOptions): NamePatterns {
  let made = known.get(options);
  if (made === undefined) {
    const patterns = options.preset.variants.map((variant) => patternOf(options, variant));
    const [out, outGiven] = [options.out, options.outGiven].map((folder) => join(folder, '_').slice(0, -1));
    made = { out: out!, outGiven: outGiven!, patterns, shapes: patterns.map(shapeOf) };
    known.set(options, made);
  }
  return made;
}

function patternOf({ template, preset }: BatchOptions, { name: variant, format }: Variant): Pattern {
  const values: Record<string, string> = { variant, ext: EXTENSIONS[format], format, preset: preset.name };
  const filled = (text: string) => text.replace(/\{(\w+)\}/g, (whole, key: string) => values[key] ?? whole);
  return template.split(/\{(dir|name)\}/).map((part, i) => (i % 2 === 0 ? filled(part) : part));
}

function fill(pattern: Pattern, dir: string, name: string): string {
  return pattern.reduce((path, part, i) => path + (i % 2 === 0 ? part : part === 'dir' ? dir : name), '');
}

/** Whether a path is below the output folder and the template can yield its file name. */
export function isOutputName(path: string, options: BatchOptions): boolean {
  const { out, shapes } = namePatternsOf(options);
  if (!path.startsWith(out)) return false;
  const name = basename(path);
  return shapes.some((shape) => shape.test(name));
}

function shapeOf(pattern: Pattern): RegExp {
  // The names of placeholders need no escapes.
  const escaped = pattern.map((part) => part.replace(/[^\w/]/gu, '\\$&'));
  const shape = fill(escaped, '.*', '.+');
  return new RegExp(`^${shape.slice(shape.lastIndexOf('/') + 1)}$`, 's');
}

/** A segment that is empty, `.` or `..`. */
const NO_NAME = /(^|\/)\.{0,2}(\/|$)/;

/** Keeps a path inside the output folder: `..` as a name gets a suffix. */
function contained(path: string): string {
  if (!NO_NAME.test(path)) return path;
  return path
    .split('/')
    .filter((segment) => segment !== '')
    .map((segment) => (segment === '.' || segment === '..' ? `${segment}~` : segment))
    .join('/');
}

function longestExcess(path: string, longest: number): number {
  // A unit of UTF-16 takes at most 3 bytes of UTF-8.
  if (path.length * 3 <= longest) return 0;
  const most = Buffer.byteLength(path) - longest;
  if (most <= 0) return most;
  return Math.max(...path.split('/').map((segment) => Buffer.byteLength(segment) - longest));
}

/** The longest prefix of whole characters within this many bytes. */
function cut(text: string, bytes: number): string {
  const start = Buffer.from(text).subarray(0, Math.max(0, bytes));
  // A stream keeps the bytes of an incomplete character back.
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(start, { stream: true });
}
