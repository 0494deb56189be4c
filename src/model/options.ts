import type { Preset } from '../variants/presets.ts';

/** All options that the jobs of a batch need. The index stores them with the batch for `resume`. */
export interface BatchOptions {
  readonly preset: Preset;
  /** Absolute path. */
  readonly out: string;
  /** As the user gave it, for events. */
  readonly outGiven: string;
  readonly template: string;
  /** Bytes of the longest name that the disk of the outputs allows, if it allows fewer than other disks. */
  readonly longestName?: number;
  readonly duplicates: 'link' | 'copy' | 'skip';
  readonly force: boolean;
  /** Whether to render outputs of an older recipe again. */
  readonly outdated: boolean;
  /** Whether outputs get the modification times of their sources. */
  readonly times: boolean;
  /** Whether outputs that somebody has edited stay as they are. */
  readonly keepEdited: boolean;
  readonly dryRun: boolean;
  /** Images at a time. */
  readonly jobs: number;
  /** Bytes of memory that pictures in work may take together. */
  readonly memory: number;
  /** Bytes of memory that one picture may take: at most `memory` if the user set that, otherwise more. */
  readonly memoryCap: number;
  readonly limits: Limits;
  readonly walk: Walk;
  readonly list: PathList | null;
  /** False for a watch, which has an option of its own. */
  readonly mirror: Mirroring;
}

/**
 * Whether to remove outputs that no source and no variant asks for any more. `all`: also when so many sources are gone
 * that a disk may not be mounted.
 */
export type Mirroring = boolean | 'all';

/** A list of files: its path, or `-` for standard input. With `nul`, NUL ends each entry. */
export type PathList = { readonly from: string; readonly nul: boolean };

/** How the inputs of a batch are walked. */
export interface Walk {
  /** Whether to take all regular files, not only those with a picture's extension. */
  readonly allFiles: boolean;
  readonly followSymlinks: boolean;
  /** Whether a source counts as unchanged when only its ctime has changed. */
  readonly ignoreCtime: boolean;
  /** Globs on the root-relative path; empty includes everything. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** Absolute path of the folder from which `{dir}` starts. Null: each named folder, and the working folder for a list. */
  readonly base: string | null;
}

/** Limits for each source. */
export interface Limits {
  /** Most pixels of all frames that are used. */
  readonly pixels: number;
  readonly allowSvg: boolean;
  readonly lenient: boolean;
  /** Milliseconds that one image may take. */
  readonly timeout: number;
}

/** The rules of a walk, with the absolute paths that it passes over and reports. */
export type WalkRules = Walk & {
  readonly out: string;
  readonly index: string;
  /** Whether names of outputs have the folders of their sources. */
  readonly hasFolders: boolean;
};

/** Options of a watch. */
export interface WatchOptions {
  /** Milliseconds that a file must stay unchanged before it gets a job. */
  readonly settle: number;
  /** Milliseconds between two walks through everything, varied at random by up to a quarter. */
  readonly scanInterval: number;
  /** Whether to process the files that exist at the start. */
  readonly existing: boolean;
  /** Whether to walk often instead of using change events. */
  readonly poll: boolean;
  /** Whether to remove the outputs of sources that are gone. */
  readonly mirror: Mirroring;
  /** Whether to end once nothing is left to do. */
  readonly once: boolean;
}
