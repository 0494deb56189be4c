import type { SourceFacts } from '../../model.ts';
import { sameFile, sameSource } from '../job/decide.ts';

/** The files a watch has dealt with, as they were then: those that are still so need no look-up. */
export interface Known {
  /** Whether the file is as it was; it is met in this round. */
  meet(path: string, facts: SourceFacts): boolean;
  has(path: string): boolean;
  note(path: string, facts: SourceFacts, stage: Stage): void;
  /** Its job has ended. */
  advance(path: string, stage: Stage): void;
  stageOf(path: string): Stage | undefined;
  drop(path: string): void;
  all(): Iterable<string>;
  /** Paths below a folder. */
  below(folder: string): string[];
  /** Starts a round, in which all that is there will be met. */
  nextRound(): void;
  /** Those not met in this round. */
  notMet(): string[];
  readonly size: number;
}

/**
 * How far a file has come: it was taken, its job has ended well, it has failed for now or for good, it was counted as
 * unchanged, without a job's row, or it is an output.
 */
export type Stage = 'taken' | 'done' | 'failed' | 'counted' | 'output';

interface Entry {
  facts: SourceFacts;
  round: number;
  stage: Stage;
}

export function openKnown(): Known {
  const entries = new Map<string, Entry>();
  let round = 0;
  return {
    meet(path, facts) {
      const one = entries.get(path);
      if (one === undefined) return false;
      one.round = round;
      // A link to an output changes its ctime.
      return one.stage === 'output' ? sameFile(one.facts, facts) : sameSource(one.facts, facts);
    },
    has: (path) => entries.has(path),
    note: (path, facts, stage) => void entries.set(path, { facts, round, stage }),
    advance(path, stage) {
      const one = entries.get(path);
      if (one !== undefined) one.stage = stage;
    },
    stageOf: (path) => entries.get(path)?.stage,
    drop: (path) => void entries.delete(path),
    all: () => entries.keys(),
    below: (folder) =>
      [...entries.keys()].filter((path) => path.startsWith(folder) && isBoundary(path[folder.length])),
    nextRound() {
      round++;
    },
    notMet: () => [...entries].filter(([, one]) => one.round < round).map(([path]) => path),
    get size() {
      return entries.size;
    },
  };
}

function isBoundary(character: string | undefined): boolean {
  return character === '/' || character === '\\';
}
