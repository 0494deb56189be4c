import type { Backup, Check, Repaired } from '../model/mended.ts';
import type { Style } from '../model.ts';
import { bytes as bytesText, counted } from './format.ts';
import { padEnd, printable, width, wrap } from './text.ts';
import { line, roomOf, themeOf } from './theme.ts';

/** The first problems of an index that are shown. Often one bad page causes all of them. */
const PROBLEMS_SHOWN = 3;
/** Columns before the facts. */
const INDENT = 12;

/** The checks of `imgtool doctor`, for a terminal or a bug report. Ends with a newline. */
export function doctorText(checks: readonly Check[], style: Style): string {
  const theme = themeOf(style);
  const room = roomOf(style);
  const names = Math.min(24, Math.max(0, ...checks.map(({ name }) => width(name))));
  const indent = 12 + names;
  const { green, yellow, red } = theme.chalk;
  const paints = { ok: green, warning: yellow, problem: red };
  const lines = checks.flatMap(({ name, state, value, fix }) => {
    const words = [printable(value), ...(fix === undefined ? [] : [`fix: ${printable(fix)}`])];
    const [first = '', ...more] = words.flatMap((text) => wrap(text, Math.max(8, room - indent)));
    const label = { text: padEnd(state, 7), paint: paints[state] };
    const head = line([' ', label, '  ', padEnd(printable(name), names), '  ', first], room, theme);
    return [head, ...more.map((text) => ' '.repeat(indent) + text)];
  });
  return textOfLines([...lines, '', verdict(checks)]);
}

/** What `doctor --json` prints. */
export function doctorJson(checks: readonly Check[]): object {
  return { v: 1, checks: checks.map(({ name, state, value, fix }) => ({ name, state, value, fix })) };
}

function verdict(checks: readonly Check[]): string {
  const problems = checks.filter(({ state }) => state === 'problem').length;
  const warnings = checks.filter(({ state }) => state === 'warning').length;
  if (problems + warnings === 0) return ' Everything is well.';
  const parts = [
    problems > 0 ? counted(problems, 'problem') : '',
    warnings > 0 ? counted(warnings, 'warning') : '',
  ];
  return ` ${parts.filter((part) => part !== '').join(', ')}.`;
}

/** What `doctor --repair` did. Ends with a newline. */
export function repairedText(repair: Repaired, style: Style): string {
  return textOfLines(repairedLines(repair, roomOf(style)));
}

/** What `doctor --backup` did. Ends with a newline. */
export function backupText({ file, bytes, ...kept }: Backup, style: Style): string {
  const room = roomOf(style);
  const holds = `${bytesText(bytes)}, ${keptIn(kept)}`;
  return textOfLines([
    ...paragraph('The index was saved.', room),
    '',
    ...fact('copy', file, room),
    ...fact('holds', holds, room),
  ]);
}

function repairedLines(
  { state, index, movedTo, problems, saved, incomplete }: Repaired,
  room: number,
): string[] {
  if (state === 'absent') return paragraph(`There is no index at ${index}: nothing needs repair.`, room);
  if (state === 'healthy') return paragraph(`The index ${index} is in order: nothing needs repair.`, room);
  const isAllLost = Object.values(saved).every((rows) => rows === 0);
  const headline = isAllLost
    ? 'Nothing could be saved of the damaged index: the new one in its place is empty.'
    : 'A new index is in place of the damaged one.';
  return [
    ...paragraph(headline, room),
    '',
    ...fact('index', index, room),
    ...fact('was', problems.slice(0, PROBLEMS_SHOWN).join('; '), room),
    ...fact('saved', `${keptIn(saved)}, ${counted(saved.jobs, 'job')}`, room),
    ...fact('lost', incomplete.length === 0 ? 'nothing that is known' : lostOf(incomplete, isAllLost), room),
    ...fact('old one', movedTo ?? '', room),
    ...nextSteps(incomplete).flatMap((text) => ['', ...paragraph(text, room)]),
  ];
}

function lostOf(incomplete: Repaired['incomplete'], isAllLost: boolean): string {
  if (isAllLost) return 'all it held: how much that was cannot be known';
  return `some of the ${incomplete.join(', ')}: how many cannot be known`;
}

/** What the next run does with outputs whose rows are lost. Only their rows tell them from sources. */
function nextSteps(incomplete: Repaired['incomplete']): string[] {
  if (!incomplete.includes('outputs') && !incomplete.includes('sources')) return [];
  const adopted =
    'Run the same commands again: outputs that are there are adopted where they lie apart from the sources.';
  if (!incomplete.includes('outputs')) return [adopted];
  return [
    adopted,
    'Warning: where outputs lie among the sources, those whose rows were lost will be taken for pictures, and outputs ' +
      'made of them. Move them away first, or put a backup of the index in its place.',
  ];
}

function keptIn({ sources, outputs, batches }: Pick<Backup, 'sources' | 'outputs' | 'batches'>): string {
  return [counted(sources, 'source'), counted(outputs, 'output'), counted(batches, 'batch', 'batches')].join(
    ', ',
  );
}

function textOfLines(lines: readonly string[]): string {
  return lines.map((text) => `${text.trimEnd()}\n`).join('');
}

function paragraph(text: string, room: number): string[] {
  return wrap(printable(text), room - 1).map((line) => ` ${line}`);
}

function fact(name: string, value: string, room: number): string[] {
  const [first = '', ...more] = wrap(printable(value), Math.max(8, room - INDENT));
  return [`   ${padEnd(name, INDENT - 3)}${first}`, ...more.map((text) => ' '.repeat(INDENT) + text)];
}
