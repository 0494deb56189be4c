import type { Failure, OutputRecord } from '../model.ts';

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
}

/** What became of a wrong output that was to be made again; null when it is in order now. */
export type Remade = ReadonlyMap<WrongOutput, Failure | null>;

/** What `verify` found. */
export interface Verified {
  /** Id of the batch whose outputs were looked at; null for all there are. */
  readonly batch: string | null;
  readonly verified: number;
  /** By path, bytewise. */
  readonly wrong: readonly WrongOutput[];
  /** It was stopped before it had seen all. */
  readonly isStopped: boolean;
  /** Of all that are wrong, where they were to be made again. */
  readonly remade?: Remade;
}
