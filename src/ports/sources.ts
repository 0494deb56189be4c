import type { Bounds, Failure, Job, PassedOver, PathList, SourceFacts, WalkRules } from '../model.ts';

/** Where pictures come from. Sources are only read. Every method may be called twice, except `watch`. */
export interface Sources {
  /**
   * Streams found sources, each folder in bytewise order, folders that it cannot read, and files that it passes over.
   * With `part`, streams the files of this part by the same rules, or `gone` when nothing is there. The first walk
   * through everything also streams warnings about the inputs.
   */
  walk(signal: AbortSignal, part?: WalkScope): AsyncIterable<WalkEntry>;
  /**
   * Reports from now on what may have changed in the folders that are walked, each from before it is read. Hints make a
   * watch fast. They may come twice, late, or not at all: only a walk shows what is there. Call it once.
   */
  watch(receive: (hint: Hint) => void, options: { readonly poll: boolean }): Watcher;
  /**
   * Facts of one source. A link is followed when the user named it, or asked to follow links. Errors: `source_missing`,
   * `source_unreadable`, `source_outside` for any other link.
   */
  stat(path: string): Promise<SourceFacts>;
  /** Facts of each source by the same rule. Null for a source that is missing or not a file. */
  statAll(paths: readonly string[]): Promise<(SourceFacts | null)[]>;
  /** Whether a folder is at this path, readable or not. */
  isFolder(path: string): Promise<boolean>;
  /** Of these paths, those where certainly nothing is: the named folder above exists. */
  missing(paths: readonly string[]): Promise<string[]>;
  /**
   * Of these paths, inside or outside of the inputs, those of files that are gone: no entry has this exact name, and the
   * nearest existing folder above is not empty. An empty folder may be the mount point of a disk that is not mounted.
   */
  gone(paths: readonly string[]): Promise<string[]>;
  /** Absolute paths of the folders that were named. */
  readonly folders: readonly string[];
  /** Where the file at this path must be to be read. Null when the user named the file itself. */
  boundsOf(path: string): Bounds | null;
  /** Whether a file at this path would be a source: it is below a root or was named. */
  covers(path: string): Promise<boolean>;
  /** An absolute path as the user would write it: below a root as the root was given. */
  givenOf(path: string): string;
}

/** The questions about sources that need no inputs. Without inputs, `missing` asks only whether nothing is there. */
export type SourceProbe = Pick<Sources, 'missing' | 'gone'>;

/** Which part of the sources to walk. Without any field: all of them. */
export interface WalkScope {
  /** Absolute path of a file or folder. */
  readonly at?: string;
  /** Sources to leave out of the stream. */
  readonly isKnown?: (path: string, facts: SourceFacts) => boolean;
}

export type WalkEntry = FoundSource | UnreadableFolder | Skipped | Gone | Notice;

export interface FoundSource extends Pick<Job, 'source' | 'given' | 'relative'> {
  readonly type: 'found';
  /** Null when the user named the file and it cannot be read. Its job gives the reason. */
  readonly facts: SourceFacts | null;
  /** Set when the user named the file itself, other than by a list. */
  readonly isNamed?: true;
}

/** A folder whose entries the walk cannot list. */
export interface UnreadableFolder extends Pick<Job, 'source' | 'given' | 'relative'> {
  readonly type: 'unreadable';
  readonly error: Failure;
}

export interface Skipped {
  readonly type: 'skipped';
  /** Absolute. */
  readonly path: string;
  readonly given: string;
  readonly reason: PassedOver;
  /** What a file with the reason `unsupported_format` is by its name. */
  readonly kind?: string;
}

/** Nothing is at a path that should be walked. */
export interface Gone {
  readonly type: 'gone';
  /** Absolute path. */
  readonly path: string;
  /** Whether it was a folder when it was last walked. */
  readonly wasFolder: boolean;
}

export type Hint =
  /** Something has changed at this absolute path or below it. */
  | { readonly type: 'changed'; readonly path: string }
  /** Something may have changed anywhere. */
  | { readonly type: 'lost' }
  /** The name of a folder belongs to another folder or to none, as after a mount: files not met there are not gone. */
  | { readonly type: 'replaced'; readonly folder: string }
  | Notice;

/** A message for the user. */
export interface Notice {
  readonly type: 'warning';
  readonly message: string;
  readonly fix?: string;
}

export interface Watcher {
  /** Number of folders that were walked and are still there. */
  readonly folders: number;
  /** Absolute paths of folders without hints, for themselves and all below. Walk them often. */
  blind(): string[];
  /** `polling` when there is a folder without hints. */
  readonly by: 'events' | 'polling';
  close(): Promise<void>;
}

/** Checks the named inputs first. Errors: `no_input` when a path is missing, or a glob matches nothing to walk. */
export type OpenSources = (inputs: Inputs, rules: WalkRules) => Promise<Sources>;

export interface Inputs {
  /** Files, folders and globs as given, relative to `cwd`. */
  readonly paths: readonly string[];
  readonly list: PathList | null;
  readonly cwd: string;
  /** The settings whose globs are for these inputs alone. Globs of a settings file are for many inputs. */
  readonly ownGlobs?: readonly ('include' | 'exclude')[];
  /** What is done to the named folders, when only folders can be named. They are not globs. */
  readonly onlyFolders?: 'watched' | 'mirrored';
  /**
   * Set when the inputs are former sources. Each path is a file, not a glob; other sources were found in these folders.
   * Some may be gone, but not all.
   */
  readonly once?: { readonly folders: readonly string[] };
  /**
   * Whether an earlier batch had these inputs. Some may be gone, but not all, and a glob may match nothing. A missing
   * picture is found without facts; a missing folder is met as `gone` and is still to be walked.
   */
  readonly isAgain?: boolean;
  /** Whether sources were named by a list that cannot be read again. */
  readonly wasListed?: boolean;
}
