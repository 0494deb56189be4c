import type { SourceFacts } from '../../model.ts';
import { sameFile, sameSource } from '../job/decide.ts';

/** The files that a watch has processed, with their facts. A file with the same facts needs no look-up. */
export interface Known {
  /** Marks the file as met in this round. Returns whether it is unchanged. */
  meet(path: string, facts: SourceFacts): boolean;
  has(path: string): boolean;
  note(path: string, facts: SourceFacts, stage: Stage): void;
  /** Notes how far its job has come. */
  advance(path: string, stage: Stage): void;
  stageOf(path: string): Stage | undefined;
  drop(path: string): void;
  all(): Iterable<string>;
  /** Paths below a folder. */
  below(folder: string): string[];
  /** Starts a round. A full walk meets all existing files in it. */
  nextRound(): void;
  /** Paths not met in this round. */
  notMet(): string[];
  readonly size: number;
}

/**
 * `taken`: the file has a job. `done`: its job has succeeded. `failed`: its job has failed, for now or for good.
 * `counted`: the file is counted as unchanged and has no row of its own. `output`: the file is an output.
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
      // A new link to an output changes the ctime of the output.
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
