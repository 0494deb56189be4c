import type { Backup, Repaired } from '../model/mended.ts';
import type { Style } from '../model.ts';
import { bytes as bytesText, counted } from './format.ts';
import { oneLine } from './json.ts';
import { roomOf } from './look.ts';
import { printable } from './printable.ts';
import { padEnd, wrap } from './text.ts';
import './widths.ts';

/** Problems of an index that are told: often one page is behind them all. */
const FEW = 3;
/** Columns before the facts. */
const INDENT = 12;

interface MendingOptions {
  readonly stream: NodeJS.WritableStream;
  readonly style: Style;
  /** One document instead of text. */
  readonly json: boolean;
}

/** What `doctor --repair` and `--backup` did, printed as text or as one JSON document. */
export function openMending({ stream, style, json }: MendingOptions) {
  const room = roomOf(style);
  const print = (lines: readonly string[], document: object) =>
    void stream.write(json ? `${oneLine(document)}\n` : lines.map((line) => `${line.trimEnd()}\n`).join(''));
  return {
    repaired: (repair: Repaired) => print(repairedLines(repair, room), { v: 1, repair }),
    backedUp: (backup: Backup) => print(backupLines(backup, room), { v: 1, backup }),
  };
}

function repairedLines(
  { state, index, movedTo, problems, saved, incomplete }: Repaired,
  room: number,
): string[] {
  if (state === 'absent') return said(`There is no index at ${index}: nothing needs repair.`, room);
  if (state === 'healthy') return said(`The index ${index} is in order: nothing needs repair.`, room);
  const isAllLost = Object.values(saved).every((rows) => rows === 0);
  const headline = isAllLost
    ? 'Nothing could be saved of the damaged index: the new one in its place is empty.'
    : 'A new index is in place of the damaged one.';
  return [
    ...said(headline, room),
    '',
    ...fact('index', index, room),
    ...fact('was', problems.slice(0, FEW).join('; '), room),
    ...fact('saved', `${keptIn(saved)}, ${counted(saved.jobs, 'job')}`, room),
    ...fact('lost', incomplete.length === 0 ? 'nothing that is known' : lostOf(incomplete, isAllLost), room),
    ...fact('old one', movedTo ?? '', room),
    ...comesNext(incomplete).flatMap((text) => ['', ...said(text, room)]),
  ];
}

function lostOf(incomplete: Repaired['incomplete'], isAllLost: boolean): string {
  if (isAllLost) return 'all it held: how much that was cannot be known';
  return `some of the ${incomplete.join(', ')}: how many cannot be known`;
}

/** What is made of outputs whose rows are lost: on that alone it hangs whether they are told from pictures. */
function comesNext(incomplete: Repaired['incomplete']): string[] {
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

function backupLines({ file, bytes, ...kept }: Backup, room: number): string[] {
  const holds = `${bytesText(bytes)}, ${keptIn(kept)}`;
  return [
    ...said('The index was saved.', room),
    '',
    ...fact('copy', file, room),
    ...fact('holds', holds, room),
  ];
}

function keptIn({ sources, outputs, batches }: Pick<Backup, 'sources' | 'outputs' | 'batches'>): string {
  return [counted(sources, 'source'), counted(outputs, 'output'), counted(batches, 'batch', 'batches')].join(
    ', ',
  );
}

function said(text: string, room: number): string[] {
  return wrap(printable(text), room - 1).map((line) => ` ${line}`);
}

function fact(name: string, value: string, room: number): string[] {
  const [first = '', ...more] = wrap(printable(value), Math.max(8, room - INDENT));
  return [`   ${padEnd(name, INDENT - 3)}${first}`, ...more.map((text) => ' '.repeat(INDENT) + text)];
}
