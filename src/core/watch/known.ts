import type { SourceFacts } from '../../model.ts';
import { sameFile, sameSource } from '../job/decide.ts';

/**
 * `taken`: the file has a job. `done`: its job has succeeded. `failed`: its job has failed, for now or for good.
 * `counted`: the file is counted as unchanged and has no row of its own. `output`: the file is an output.
 */
export type Stage = 'taken' | 'done' | 'failed' | 'counted' | 'output';

export type Known = ReturnType<typeof openKnown>;

/** The files that a watch has processed, with their facts. A file with the same facts needs no look-up. */
export function openKnown() {
  const entries = new Map<string, { facts: SourceFacts; round: number; stage: Stage }>();
  let round = 0;
  return {
    /** Marks the file as met in this round. Returns whether it is unchanged. */
    meet(path: string, facts: SourceFacts): boolean {
      const one = entries.get(path);
      if (one === undefined) return false;
      one.round = round;
      // A new link to an output changes the ctime of the output.
      return one.stage === 'output' ? sameFile(one.facts, facts) : sameSource(one.facts, facts);
    },
    has: (path: string) => entries.has(path),
    note: (path: string, facts: SourceFacts, stage: Stage) => void entries.set(path, { facts, round, stage }),
    /** Notes how far its job has come. */
    advance(path: string, stage: Stage) {
      const one = entries.get(path);
      if (one !== undefined) one.stage = stage;
    },
    stageOf: (path: string) => entries.get(path)?.stage,
    /** The sizes of the files in these stages. */
    sizesIn: (...stages: Stage[]) =>
      [...entries.values()].flatMap(({ facts, stage }) => (stages.includes(stage) ? [facts.size] : [])),
    drop: (path: string) => void entries.delete(path),
    all: () => [...entries.keys()],
    /** Paths below a folder. */
    below(folder: string) {
      const isBelow = (path: string) => path.startsWith(folder) && /[/\\]/.test(path[folder.length] ?? '');
      return [...entries.keys()].filter(isBelow);
    },
    /** Starts a round. A full walk meets all existing files in it. */
    nextRound: () => void round++,
    /** Paths not met in this round. */
    notMet: () => [...entries].filter(([, one]) => one.round < round).map(([path]) => path),
  };
}
