import type { Forgotten, Verified, WrongOutput } from '../model/verified.ts';
import type { Failure, OutputRecord, Style } from '../model.ts';
import { count, counted } from './format.ts';
import { oneLine } from './json.ts';
import { layoutFor } from './layout.ts';
import { createLiveDisplay, createSpinner, type TerminalStream } from './live.ts';
import { printable, textOf, wrap } from './text.ts';
import { fixOf } from './wording.ts';

/** Paths that are listed one by one; JSON lists all. A changed file that was replaced is always listed. */
const MOST = 50;

/** One line per output that is not in order, with its repair, and a summary. Paths are absolute. Ends with a newline. */
export function verifyText(verified: Verified, style: Style): string {
  const { wrong, remade } = verified;
  const { columns, ellipsis } = layoutFor(style);
  const isMade = (one: WrongOutput) => Number(remade?.get(one) === null);
  const failedFirst = [...wrong].sort((a, b) => isMade(a) - isMade(b));
  const isReplaced = (one: WrongOutput) =>
    isMade(one) === 1 && one.problems.some(({ problem }) => problem === 'changed');
  const shown = wrong.length <= MOST ? wrong : failedFirst.filter((one, i) => i < MOST || isReplaced(one));
  const lines = shown.flatMap((one) => {
    const words = one.problems.map(({ problem, message }) => `${problem}: ${printable(message)}`);
    return [`${printable(one.record.path)}: ${words.join('; ')}`, ...remadeLines(remade?.get(one))];
  });
  const others = moreLines(wrong.length - shown.length, ellipsis);
  const stopped = verified.isStopped ? ['Stopped before all were seen.'] : [];
  const all = [...lines, ...others, ...stopped, ...verdictOf(verified), ...goneOf(verified)];
  return textOf(all.flatMap((text) => wrap(text, columns)));
}

/** What `forget` prints: the paths, then a summary. Ends with a newline. */
export function forgottenText(forgotten: Forgotten, style: Style): string {
  const { dryRun, outputs, sources, kept, unclear } = forgotten;
  const { columns, ellipsis } = layoutFor(style);
  const listed = (word: string, paths: readonly string[]) => [
    ...paths.slice(0, MOST).map((path) => `${word} ${printable(path)}`),
    ...moreLines(paths.length - MOST, ellipsis),
  ];
  const forgot = dryRun ? 'would forget' : 'forgot';
  const what = [counted(outputs.length, 'output'), counted(sources.length, 'source')].join(' and ');
  const stay = kept.length === 0 ? '' : `; what still exists stays recorded (${count(kept.length)})`;
  const lines = [
    ...listed(`${forgot} output`, outputs),
    ...listed(`${forgot} source`, sources),
    ...listed('still there:', kept),
    ...listed('out of reach:', unclear),
    `${forgot} ${what}${stay}`,
    ...unclearLines(unclear.length),
  ];
  return textOf(lines.flatMap((text) => wrap(text, columns)));
}

function unclearLines(unclear: number): string[] {
  if (unclear === 0) return [];
  const [are, them] = unclear === 1 ? ['is', 'it'] : ['are', 'them'];
  const what = `What is out of reach stays recorded (${count(unclear)}): a disk may not be mounted.`;
  return [
    what,
    `If ${unclear === 1 ? 'it' : 'they'} ${are} gone for good, name ${them}, or the empty folder.`,
  ];
}

/** The line for the number of paths that are not listed one by one; none if all are. */
function moreLines(more: number, ellipsis: string): string[] {
  return more <= 0 ? [] : [`${ellipsis} and ${count(more)} more; --json lists all`];
}

/** What `verify --json` prints. Fields are only ever added. An output with two problems is listed twice. */
export function verifyJson(verified: Verified): object {
  const { batch, verified: seen, gone, wrong, remade, isStopped } = verified;
  return {
    v: 1,
    batch,
    verified: seen,
    wrong: wrong.length,
    gone,
    problems: wrong.flatMap((one) => {
      const { path, source, variant } = one.record;
      const fields = remadeFields(remade?.get(one));
      return one.problems.map((problem) => ({ path, source, variant, ...problem, ...fields }));
    }),
    fixed: remade === undefined ? undefined : fixedOf(verified),
    forgotten: verified.forgotten,
    batches: verified.madeIn,
    stopped: isStopped || undefined,
  };
}

/** The spinner of a verification; silent where nobody looks at a terminal. */
export function createVerifyProgress(screen: { stream: TerminalStream; style: Style } | null) {
  const display = screen && createLiveDisplay(screen.stream, screen.style);
  const spin = screen && createSpinner(screen.style);
  let text = '';
  if (spin) display?.show(() => [spin(text)]);
  return {
    report(verified: number, wrong: number): void {
      const bad = wrong === 0 ? '' : `, ${count(wrong)} not in order`;
      text = `${counted(verified, 'output')} verified${bad}`;
    },
    close: () => display?.close(),
  };
}

function remadeLines(failure: Failure | null | undefined): string[] {
  if (failure === undefined) return [];
  if (failure === null) return ['  made again'];
  return [`  not made again: ${printable(failure.message)}`, ...fixOf(failure).map((fix) => `  ${fix}`)];
}

function remadeFields(failure: Failure | null | undefined): object {
  if (failure === undefined) return {};
  return failure === null ? { fixed: true } : { fixed: false, error: failure };
}

function verdictOf(verified: Verified): string[] {
  const { verified: seen, wrong, gone, remade, isStopped, mendable } = verified;
  if (seen === 0) return gone === 0 ? ['No outputs to verify.'] : [];
  const sum = `${counted(seen, 'output')} verified`;
  if (wrong.length === 0) return [`${sum}, ${isStopped ? 'all of these' : 'all'} in order`];
  const bad = `${sum}, ${count(wrong.length)} not in order`;
  if (remade !== undefined) {
    return [`${bad}, ${count(fixedOf(verified))} of them made again${placeOf(verified)}`];
  }
  const which = mendable === wrong.length ? 'them' : `${count(mendable)} of them`;
  const again = mendable === 0 ? [] : [`Make ${which} again: ${printable(verified.fixBy)}`];
  return [bad, ...again, ...editedLines(verified), ...sourcelessLines(verified)];
}

/** What a check of the whole index leaves, because somebody may have edited it. */
function editedLines({ edited = 0, editedBy = '' }: Verified): string[] {
  if (edited === 0) return [];
  const [may, them] = edited === 1 ? ['is', 'it'] : ['are', 'them'];
  const what = `${counted(edited, 'output')} ${may} perhaps edited`;
  return [`${what}. Name the folder to make ${them} again: ${printable(editedBy)}`];
}

/** What helps where the sources are missing, and nothing can be made again. */
function sourcelessLines({ mendable, orphans, forgetBy, forgetMore = 0 }: Verified): string[] {
  const whose = mendable + orphans === 0 ? 'their' : 'the missing';
  const more = forgetMore === 0 ? [] : [`Then imgtool verify names ${counted(forgetMore, 'more folder')}.`];
  const [has, its, them] = orphans === 1 ? ['has', 'its', 'it'] : ['have', 'their', 'them'];
  const what = `${counted(orphans, 'output')} ${has} no source any more and cannot be made again`;
  return [
    ...(forgetBy === undefined
      ? []
      : [`Bring ${whose} sources back, or if they are gone for good: ${forgetBy}`, ...more]),
    ...(orphans === 0
      ? []
      : [`${what}: bring ${its} ${orphans === 1 ? 'source' : 'sources'} back, or remove ${them}.`]),
  ];
}

function goneOf(verified: Verified): string[] {
  const { gone, forgotten } = verified;
  if (gone === 0) return [];
  const [are, their, them] = gone === 1 ? ['is', 'its source', 'it'] : ['are', 'their sources', 'them'];
  const what = `${counted(gone, 'output')} ${are} gone together with ${their}`;
  if (forgotten === undefined) return [`${what}: ${printable(verified.fixBy)} forgets ${them}`];
  return [`${what}${forgotten === gone ? '' : `, ${count(forgotten)}`}: forgotten`];
}

/** `list` and `status` show the batches that made outputs again like any other. */
function placeOf({ madeIn = [] }: Verified): string {
  if (madeIn.length === 0) return '';
  if (madeIn.length > 3) return ` in ${madeIn.length} batches`;
  return ` in ${madeIn.length === 1 ? 'batch' : 'batches'} ${madeIn.join(', ')}`;
}

function fixedOf({ remade }: Verified): number {
  return [...(remade?.values() ?? [])].filter((failure) => failure === null).length;
}

/** A recorded output as `list --outputs` prints it. Paths are absolute. */
export function outputLine(record: OutputRecord, form: 'json' | 'nul' | 'text'): string {
  const { path, source, variant, format, width, height, size: bytes } = record;
  if (form === 'nul') return `${path}\0`;
  if (form === 'text') return `${printable(path)}\n`;
  return `${oneLine({ v: 1, type: 'output', path, source, variant, format, width, height, bytes })}\n`;
}
