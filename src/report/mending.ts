import type { Style } from '../model.ts';
import { bytes as bytesText, counted } from './format.ts';
import { oneLine } from './json.ts';
import { roomOf } from './look.ts';
import { printable } from './printable.ts';
import { padEnd, wrap } from './text.ts';

/** Problems of an index that are told: often one page is behind them all. */
const FEW = 3;
/** Columns before the facts. */
const INDENT = 12;

/** What became of an index that was to be repaired. */
export interface Repaired {
  readonly state: 'absent' | 'healthy' | 'repaired';
  readonly index: string;
  readonly movedTo: string | null;
  readonly problems: readonly string[];
  readonly saved: Readonly<Record<'sources' | 'outputs' | 'batches' | 'jobs', number>>;
}

/** A copy of the index. */
export interface Backup {
  readonly index: string;
  readonly file: string;
  readonly bytes: number;
  readonly sources: number;
  readonly outputs: number;
  readonly batches: number;
}

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
    repaired: ({ state, index, movedTo, problems, saved }: Repaired) =>
      print(repairedLines({ state, index, movedTo, problems, saved }, room), {
        v: 1,
        repair: { state, index, movedTo, problems, saved },
      }),
    backedUp: ({ index, file, bytes, sources, outputs, batches }: Backup) =>
      print(backupLines({ index, file, bytes, sources, outputs, batches }, room), {
        v: 1,
        backup: { index, file, bytes, sources, outputs, batches },
      }),
  };
}

function repairedLines({ state, index, movedTo, problems, saved }: Repaired, room: number): string[] {
  if (state === 'absent') return said(`There is no index at ${index}: nothing needs repair.`, room);
  if (state === 'healthy') return said(`The index ${index} is in order: nothing needs repair.`, room);
  return [
    ...said('A new index is in place of the damaged one.', room),
    '',
    ...fact('index', index, room),
    ...fact('was', problems.slice(0, FEW).join('; '), room),
    ...fact('saved', `${keptIn(saved)}, ${counted(saved.jobs, 'job')}`, room),
    ...fact('old one', movedTo ?? '', room),
    '',
    ...said(
      'What was not saved comes back as commands are run again: outputs that are there are adopted.',
      room,
    ),
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
