import { dirname } from 'node:path';
import { fixCommand } from '../../errors.ts';
import type { ProblemWord, WrongOutput } from '../../model/verified.ts';
import type { Failure } from '../../model.ts';
import { isMarked, sameFile } from '../job/decide.ts';
import type { Verifying } from './verify.ts';

/** Whether an output is never made again: its file is unreadable or foreign. */
export const isLeftAlone = (one: WrongOutput) => hasProblem(one, 'unreadable') || hasProblem(one, 'foreign');

export function hasProblem({ problems }: WrongOutput, word: ProblemWord): boolean {
  return problems.some(({ problem }) => problem === word);
}

/** Whether another program wrote the file. A disk that changes bytes changes no time. */
const isWritten = ({ file, record }: WrongOutput): boolean =>
  file !== undefined &&
  !sameFile(file, record) &&
  !isMarked(file, record, 'damaged') &&
  !isMarked(file, record, 'changed');

/**
 * The wrong outputs that somebody may have edited, as far as their sources are there: another program wrote them. A file
 * that is surely no picture counts as damage, unless the user wants to keep what was edited.
 */
export async function editedAmong(
  { sources }: Pick<Verifying, 'sources'>,
  wrong: readonly WrongOutput[],
  keepEdited: boolean,
): Promise<ReadonlySet<WrongOutput>> {
  const edited = wrong.filter(
    (one) => hasProblem(one, 'changed') && isWritten(one) && (keepEdited || !one.isBroken),
  );
  const missing = new Set(await sources.missing(edited.map(({ record }) => record.source)));
  return new Set(edited.filter(({ record }) => !missing.has(record.source)));
}

/** The folders of outputs. */
export const foldersOf = (wrong: Iterable<WrongOutput>): string[] =>
  [...wrong].map(({ record }) => dirname(record.path));

/** Why such an output is not made again. */
export function leftAlone(one: WrongOutput): Failure {
  if (hasProblem(one, 'unreadable')) {
    const fix = 'check its permissions and the disk; once it is removed it can be made again';
    return { code: 'output_unreadable', message: 'what cannot be read is not replaced', fix };
  }
  const fix = 'move that away; then it can be made again';
  return { code: 'output_exists', message: "what is in its place is not imgtool's", fix };
}

/** Why an edited output is not made again. */
export function leftAsEdited({ record }: WrongOutput, otherIndex?: string): Failure {
  const fix = `move the edit away, then: ${fixCommand([record.path], otherIndex)}`;
  return { code: 'output_exists', message: 'another program wrote it, so it may be an edit', fix };
}
