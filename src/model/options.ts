import type { Preset } from '../variants/presets.ts';

/** Everything about a batch that its jobs need to know; stored with it, so that it can be resumed. */
export interface BatchOptions {
  readonly preset: Preset;
  /** Absolute path. */
  readonly out: string;
  /** As given, for events. */
  readonly outGiven: string;
  readonly template: string;
  readonly duplicates: 'link' | 'copy' | 'skip';
  readonly force: boolean;
  readonly dryRun: boolean;
  /** Images at a time. */
  readonly jobs: number;
  /** Bytes of memory that pictures in work may take together. */
  readonly memory: number;
  /** Bytes of memory that one picture may take: `memory` where that was given, else more. */
  readonly memoryCap: number;
  readonly limits: Limits;
  readonly walk: Walk;
  readonly list: PathList | null;
}

/** A list of files: its path or `-` for standard input, and whether NUL ends its entries. */
export interface PathList {
  readonly from: string;
  readonly nul: boolean;
}

/** How inputs are walked, as a batch remembers it. */
export interface Walk {
  /** Every regular file, not only those with a picture's extension. */
  readonly allFiles: boolean;
  readonly followSymlinks: boolean;
  /** A source whose ctime alone has changed counts as unchanged. */
  readonly ignoreCtime: boolean;
  /** Globs on the root-relative path; empty includes everything. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/** What a source may ask of the machine. */
export interface Limits {
  /** Pixels of one frame. */
  readonly pixels: number;
  readonly allowSvg: boolean;
  readonly lenient: boolean;
  /** Milliseconds one image may take. */
  readonly timeout: number;
}

/** What becomes a job: the inputs and the rules of the walk. */
export interface WalkRules extends Walk {
  /** Absolute paths never descended into or taken, with the reason told. */
  readonly out: string;
  readonly index: string;
}

/** How a watch watches. */
export interface WatchOptions {
  /** Milliseconds a file must be as it is before it is taken. */
  readonly settle: number;
  /** Milliseconds between two walks through everything, give or take a quarter. */
  readonly scanInterval: number;
  /** Take what is there at the start. */
  readonly existing: boolean;
  /** Wait for no word from the system: walk often. */
  readonly poll: boolean;
  /** Remove the outputs of sources that are gone. */
  readonly mirror: boolean;
  /** End once nothing is left to do. */
  readonly once: boolean;
}
