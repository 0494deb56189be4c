import type { Failure } from './jobs.ts';
import type { OutputRecord } from './records.ts';

/** What can be wrong with an output; several may be with one. */
export type ProblemWord =
  /** Nothing is under its name. */
  | 'missing'
  /** A folder, link or device is under its name. */
  | 'foreign'
  /** It may not be read, or the disk failed. */
  | 'unreadable'
  /** Its bytes are not those that were written. */
  | 'changed'
  /** It is no picture, or one that is damaged. */
  | 'undecodable'
  /** It has another format, width or height than is recorded. */
  | 'different'
  /** It carries something besides its pixels. */
  | 'metadata';

export interface Problem {
  readonly problem: ProblemWord;
  /** Reads on after the path: "has 3,411 bytes, not 3,400". */
  readonly message: string;
}

/** An output that is not in order. */
export interface WrongOutput {
  readonly record: OutputRecord;
  /** One at least, in the order of their words. */
  readonly problems: readonly Problem[];
  /** A duplicate that was skipped, and has no outputs but this, whose own source is gone. */
  readonly duplicate?: string;
}

/** What became of a wrong output that was to be made again; null when it is in order now. */
export type Remade = ReadonlyMap<WrongOutput, Failure | null>;

/** What a look at outputs found. */
export interface Looked {
  /** Id of the batch whose outputs were looked at; null for all there are. */
  readonly batch: string | null;
  readonly verified: number;
  /** By path, bytewise. */
  readonly wrong: readonly WrongOutput[];
  /** It was stopped before it had seen all. */
  readonly isStopped: boolean;
}

/** What `verify` tells. `verified` and `wrong` are without those that are gone. */
export interface Verified extends Looked {
  /** Outputs that are missing as their sources are: nobody's loss. */
  readonly gone: number;
  /** Whether one of those that are wrong can be made again. */
  readonly isMendable: boolean;
  /** How many that were gone are forgotten now, where that was asked. */
  readonly forgotten?: number;
  /** Of all that are wrong, where they were to be made again. */
  readonly remade?: Remade;
  /** Ids of the batches that made them again. */
  readonly madeIn?: readonly string[];
}
