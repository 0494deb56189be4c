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

/** Outputs that only a named path or batch makes again, each with the edited output that is the reason. */
export type Edited = ReadonlyMap<WrongOutput, WrongOutput>;

/** Whether another program wrote the file. A disk that changes bytes changes no time. */
const isWritten = ({ file, record }: WrongOutput): boolean =>
  file !== undefined &&
  !sameFile(file, record) &&
  !isMarked(file, record, 'damaged') &&
  !isMarked(file, record, 'changed');

/**
 * The wrong outputs that somebody may have edited: another program wrote them, and they can be decoded. Also the other
 * wrong outputs of their sources, because one job makes all outputs of a source.
 */
export async function editedAmong({ sources }: Pick<Verifying, 'sources'>, wrong: readonly WrongOutput[]) {
  const bySource = new Map<string, WrongOutput>();
  const decoded = wrong.filter((one) => hasProblem(one, 'changed') && !hasProblem(one, 'undecodable'));
  const missing = new Set(await sources.missing(decoded.map(({ record }) => record.source)));
  for (const one of decoded) {
    if (isWritten(one) && !missing.has(one.record.source)) bySource.set(one.record.source, one);
  }
  const edited = new Map<WrongOutput, WrongOutput>();
  for (const one of wrong) {
    const reason = bySource.get(one.record.source);
    if (reason !== undefined && !isLeftAlone(one)) edited.set(one, decoded.includes(one) ? one : reason);
  }
  return edited;
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
export function leftAsEdited(one: WrongOutput, reason: WrongOutput, otherIndex?: string): Failure {
  const { path } = reason.record;
  const which = one === reason ? 'another program wrote it' : `another program wrote ${path}`;
  const fix = `move the edit away, then: ${fixCommand([path], otherIndex)}`;
  return { code: 'output_exists', message: `${which}, so it may be an edit`, fix };
}
