import type { Problem, Verified, WrongOutput } from '../model/verified.ts';
import type { Failure, Style } from '../model.ts';
import { count, counted } from './format.ts';
import { roomOf } from './look.ts';
import { printable } from './printable.ts';
import { openSpinner } from './spinner.ts';
import { wrap } from './text.ts';

/** A line for each output that is not in order, what became of it, and the sum. Paths are absolute. Ends with a newline. */
export function verifyText(verified: Verified, style: Style): string {
  const { wrong, remade } = verified;
  const lines = wrong.flatMap((one) => {
    const failure = remade?.get(one);
    return [`${printable(one.record.path)}: ${one.problems.map(wordsOf).join('; ')}`, ...outcomeOf(failure)];
  });
  return [...lines, ...sumOf(verified)]
    .flatMap((text) => wrap(text, roomOf(style)))
    .map((text) => `${text}\n`)
    .join('');
}

/** What `verify --json` prints: one document, additive only; an output with two problems is there twice. */
export function verifyJson(verified: Verified): object {
  const { batch, verified: seen, wrong, remade, isStopped } = verified;
  return {
    v: 1,
    batch,
    verified: seen,
    problems: wrong.flatMap((one) =>
      one.problems.map((problem) => ({ ...problemFields(one, problem), ...remadeFields(remade?.get(one)) })),
    ),
    fixed: remade === undefined ? undefined : fixedOf(verified),
    stopped: isStopped || undefined,
  };
}

/** How far it has come; null where nobody looks at a screen. */
export function createVerifyProgress(screen: { stream: NodeJS.WritableStream; style: Style } | null) {
  const spinner = screen && openSpinner(screen.stream, screen.style);
  return {
    told(verified: number, wrong: number): void {
      const bad = wrong === 0 ? '' : `, ${count(wrong)} not in order`;
      spinner?.text(`${counted(verified, 'output')} verified${bad}`);
    },
    close(): void {
      spinner?.close();
    },
  };
}

function wordsOf({ problem, message }: Problem): string {
  return `${problem}: ${printable(message)}`;
}

function outcomeOf(failure: Failure | null | undefined): string[] {
  if (failure === undefined) return [];
  if (failure === null) return ['  made again'];
  const fix = failure.fix === undefined ? [] : [`  fix: ${printable(failure.fix)}`];
  return [`  not made again: ${printable(failure.message)}`, ...fix];
}

function sumOf(verified: Verified): string[] {
  const { batch, verified: seen, wrong, remade, isStopped } = verified;
  const stopped = isStopped ? ['Stopped before all were seen.'] : [];
  if (seen === 0) return [...stopped, 'No outputs to verify.'];
  const sum = `${counted(seen, 'output')} verified`;
  if (wrong.length === 0) return [...stopped, `${sum}, ${isStopped ? 'all of these' : 'all'} in order`];
  const bad = `${sum}, ${count(wrong.length)} not in order`;
  if (remade !== undefined) return [...stopped, `${bad}, ${count(fixedOf(verified))} of them made again`];
  return [...stopped, bad, `Make them again: imgtool verify ${batch === null ? '' : `${batch} `}--fix`];
}

function fixedOf({ remade }: Verified): number {
  return [...(remade?.values() ?? [])].filter((failure) => failure === null).length;
}

function problemFields({ record: { path, source, variant } }: WrongOutput, problem: Problem): object {
  return { path, source, variant, ...problem };
}

function remadeFields(failure: Failure | null | undefined): object {
  if (failure === undefined) return {};
  return failure === null ? { fixed: true } : { fixed: false, error: failure };
}
