import type { Failure } from './jobs.ts';
import type { FileFacts, OutputRecord } from './records.ts';

/**
 * A kind of problem; an output may have several. `missing`: nothing is under its name. `foreign`: a folder, link or device
 * is there. `unreadable`: its permissions or the disk prevent it. `changed`: its bytes are not those that were written.
 * `undecodable`: it is not a picture, or damaged. `different`: its format or size is not as recorded.
 */
export type ProblemWord = FileProblem | 'undecodable' | 'different' | 'metadata';
type FileProblem = 'missing' | 'foreign' | 'unreadable' | 'changed';

/** `message`: a sentence without its subject, the path: "has 3,411 bytes, not 3,400". */
export type Problem = { readonly problem: ProblemWord; readonly message: string };

/** An output with problems. */
export interface WrongOutput {
  readonly record: OutputRecord;
  /** At least one, in the order of `ProblemWord`. */
  readonly problems: readonly Problem[];
  /** The file that was first found wrong; absent if there was none. A repair replaces no other file. */
  readonly file?: FileFacts;
  /** Whether the file is surely no picture. A timeout or too little memory does not show that. */
  readonly isBroken: boolean;
  /** A skipped duplicate that has only this output, when the output's own source is gone. */
  readonly duplicate?: string;
}

/** For each wrong output, why it could not be made again; null when it is correct now. */
export type Remade = ReadonlyMap<WrongOutput, Failure | null>;

/** The result of a check of outputs. */
export interface Looked {
  /** Id of the batch whose outputs were checked; null for all outputs. */
  readonly batch: string | null;
  readonly verified: number;
  /** In bytewise order of their paths. */
  readonly wrong: readonly WrongOutput[];
  /** Whether the check stopped before its end. */
  readonly isStopped: boolean;
}

/** The result of `forget`. All paths are absolute, and each list is in bytewise order. */
export interface Forgotten {
  /** Whether the records would only be removed. */
  readonly dryRun: boolean;
  /** Outputs and sources whose records were removed. */
  readonly outputs: readonly string[];
  readonly sources: readonly string[];
  /** Recorded files that still exist, or that may be on a disk that is not mounted. Their records stay. */
  readonly kept: readonly string[];
  /** Missing files in folders that are empty or cannot be reached: a disk may not be mounted. Their records stay. */
  readonly unclear: readonly string[];
}

/** The result of `verify`. `verified` and `wrong` do not include gone outputs. */
export interface Verified extends Looked {
  /** Number of outputs that are missing together with their sources. */
  readonly gone: number;
  /** Number of wrong outputs that `fixBy` makes again: their sources are there, and nobody has edited them. */
  readonly mendable: number;
  /** The command that makes wrong outputs again: for the same batch, paths and index. */
  readonly fixBy: string;
  /** Number of outputs that somebody may have edited. A check of the whole index leaves them; absent if there are none. */
  readonly edited?: number;
  /** The command that makes them again, in the first folders. */
  readonly editedBy?: string;
  /** Number of wrong outputs whose files are there and whose sources are missing. */
  readonly orphans: number;
  /** The command that forgets outputs that are missing, and whose sources are missing too; absent if there are none. */
  readonly forgetBy?: string;
  /** Number of folders that this command leaves out. */
  readonly forgetMore?: number;
  /** With `fix`: number of gone outputs that were forgotten. */
  readonly forgotten?: number;
  /** With `fix`: the result for each wrong output. */
  readonly remade?: Remade;
  /** With `fix`: ids of the batches that made outputs again. */
  readonly madeIn?: readonly string[];
}
