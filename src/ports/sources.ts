import type { Bounds, PassedOver, PathList, SourceFacts, WalkRules } from '../model.ts';

/** Where pictures come from. They are only ever read. */
export interface Sources {
  /**
   * Streams what becomes a job, each folder in bytewise order, and what is passed over; of a part, only what lies there,
   * by the rules that hold for all, or that nothing does.
   */
  walk(signal: AbortSignal, part?: WalkScope): AsyncIterable<FoundSource | Skipped | Gone>;

  /**
   * Tells from here on what may have changed in the folders that are walked, each from before it is read. Hints make a
   * watch fast: they may come twice, late, or not at all. Only a walk tells what there is. Once, of one process.
   */
  watch(heard: (hint: Hint) => void, options: { readonly poll: boolean }): Watcher;

  /**
   * Facts of one source; a link is followed when the user named it or asked to follow links. Errors: `source_missing`,
   * `source_unreadable`, `source_outside` for any other link.
   */
  stat(path: string): Promise<SourceFacts>;

  /** Facts of each by the same rule; null where one is missing or no file. */
  statAll(paths: readonly string[]): Promise<(SourceFacts | null)[]>;

  /** Of these, the ones that are certainly no more: nothing is there, though the folder that was named is. */
  missing(paths: readonly string[]): Promise<string[]>;

  /**
   * Of these paths, wherever they lie, those of files that are gone: no entry has this very name, and the nearest
   * folder above that exists is not empty. An empty folder may be the mount point of a disk that is not mounted.
   */
  gone(paths: readonly string[]): Promise<string[]>;

  /** Absolute paths of the folders that were named. */
  readonly folders: readonly string[];

  /** Where the file at this path must lie to be read; null when the user named the file itself. */
  boundsOf(path: string): Bounds | null;

  /** Whether a file at this path would be a source: it lies below a root or was named. */
  covers(path: string): Promise<boolean>;

  /** An absolute path as the user would write it: below a root as that was given. */
  givenOf(path: string): string;
}

/** What of the sources is walked; all of them where nothing is said. */
export interface WalkScope {
  /** Absolute path of a file or folder. */
  readonly at?: string;
  /** Sources of which this is true are met but not streamed. */
  readonly isKnown?: (path: string, facts: SourceFacts) => boolean;
}

export interface FoundSource {
  readonly type: 'found';
  /** Absolute path. */
  readonly source: string;
  readonly given: string;
  readonly relative: string;
  /** Null when it was named and cannot be stat'ed: its job will say why. */
  readonly facts: SourceFacts | null;
}

export interface Skipped {
  readonly type: 'skipped';
  /** Absolute. */
  readonly path: string;
  readonly given: string;
  readonly reason: PassedOver;
}

/** Nothing is at the path that was to be walked. */
export interface Gone {
  readonly type: 'gone';
  /** Absolute path. */
  readonly path: string;
  /** It was a folder when it was last walked. */
  readonly wasFolder: boolean;
}

export type Hint =
  /** Something is different at this absolute path or below it. */
  | { readonly type: 'changed'; readonly path: string }
  /** Something may be different anywhere. */
  | { readonly type: 'lost' }
  /** Under the name of a folder is another one or none now, as when a disk is mounted: what is not met is not gone. */
  | { readonly type: 'replaced'; readonly folder: string }
  /** For a person to know. */
  | { readonly type: 'warning'; readonly message: string; readonly fix?: string };

export interface Watcher {
  /** Folders walked so far and still there. */
  readonly folders: number;
  /** Absolute paths of folders of which no hints will come, nor of what lies in them: they are to be walked often. */
  blind(): string[];
  /** `polling`: there are such. */
  readonly by: 'events' | 'polling';
  close(): Promise<void>;
}

/**
 * Looks at what was named before anything runs. Errors: `no_input` when a named path is absent or a glob matches
 * nothing that could be walked.
 */
export type OpenSources = (inputs: Inputs, rules: WalkRules) => Promise<Sources>;

export interface Inputs {
  /** Files, folders and globs as given, relative to `cwd`. */
  readonly paths: readonly string[];
  readonly list: PathList | null;
  readonly cwd: string;
  /** Whether only folders may be named, as they are. */
  readonly onlyFolders?: boolean;
  /**
   * Set when the inputs were sources once: each path is a file as it is named, no pattern, and other sources were found
   * in these folders. Some may be gone, not all.
   */
  readonly once?: { readonly folders: readonly string[] };
  /**
   * Whether they were named for a batch before: some may be gone, not all, and a pattern may match nothing. A picture
   * that is gone is found without facts; a folder that is gone is met as `gone`: it is still to be walked.
   */
  readonly isAgain?: boolean;
  /** Whether sources were named by a list that cannot be read again. */
  readonly wasListed?: boolean;
}
