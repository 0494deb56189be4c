import { resolve } from 'node:path';
import type { Batch, JobRecord, Style } from '../model.ts';
import { bytes, change, count, duration, localTime } from './format.ts';
import { columnsOf, fitting, type Look, line, lookOf, packed, paintOf, roomOf, type Span } from './look.ts';
import { printable } from './printable.ts';
import { table } from './table.ts';
import { width, wrap } from './text.ts';
import { SETTLED, totalOf } from './totals.ts';
import { passedOverText, reasonOf } from './wording.ts';

/**
 * One batch as a person reads it: what it was, how far it came, what failed. With `all`, every job kept instead of the
 * failed ones. Paths are absolute. Ends with a newline.
 */
export function statusText(
  batch: Batch,
  failed: readonly JobRecord[],
  style: Style,
  now: number,
  all?: readonly JobRecord[],
): string {
  const look = lookOf(style);
  const room = roomOf(style);
  const lines = [
    ...packed(
      [{ text: `Batch ${batch.id}`, paint: look.chalk.bold }, '   '],
      headPieces(batch, look),
      room,
      look,
    ),
    ...packed(['  started  '], startedPieces(batch, now), room, look),
    ...packed(['  images   '], imagePieces(batch, look), room, look),
    ...packed(['  size     '], sizePieces(batch), room, look),
    ...asideLines(batch, room, look),
  ];
  const jobs = all ?? failed;
  const table = jobs.length === 0 ? [] : ['', ...(all ? allLines(jobs, style) : failedLines(jobs, style))];
  return [...lines, ...table, ...nextLines(batch, room)].map((text) => `${text}\n`).join('');
}

function headPieces(batch: Batch, look: Look): Span[] {
  const failed = batch.counts.failed > 0 ? `, ${count(batch.counts.failed)} failed` : '';
  const state = { text: `${batch.state}${failed}`, paint: failed === '' ? look.chalk.green : look.chalk.red };
  const inputs = batch.inputs.map((input) => printable(input === '-' ? input : resolve(batch.cwd, input)));
  const [first = '', ...others] = inputs;
  const from = others.length === 0 ? first : `${first} and ${count(others.length)} more`;
  return [state, from, `-> ${printable(batch.out)}`];
}

function startedPieces({ startedAt, finishedAt, state, preset, jobs, command }: Batch, now: number): Span[] {
  const end = finishedAt ?? (state === 'running' ? now : null);
  const took = end === null ? '' : ` (${duration(Math.max(0, end - startedAt))})`;
  return [
    `${localTime(startedAt)}${took}`,
    command,
    `preset ${printable(preset)}`,
    `${count(jobs)} at a time`,
  ];
}

function imagePieces({ counts, walkEnded, state }: Batch, look: Look): Span[] {
  const total = totalOf(counts);
  const waiting = (['pending', 'processing', 'retrying'] as const).filter((one) => counts[one] > 0);
  const sofar = walkEnded || state === 'finished' ? '' : ' found so far';
  return [
    `${count(total)}${sofar} `,
    ...SETTLED.filter((one) => counts[one] > 0).map((one) => {
      return { text: `${count(counts[one])} ${one}`, paint: paintOf(one, look) };
    }),
    ...waiting.map((one) => `${count(counts[one])} ${one}`),
  ];
}

function sizePieces({ bytesIn, bytesOut }: Batch): Span[] {
  if (bytesIn === 0) return [];
  return [`${bytes(bytesIn)} -> ${bytes(bytesOut)} (${change(bytesIn, bytesOut)})`];
}

function asideLines({ passedOver }: Batch, room: number, look: Look): string[] {
  if (passedOver === 0) return [];
  return [fitting([[`  aside    ${passedOverText(passedOver, new Map())}`]], room, look)];
}

/** Name, attempts and reason in columns where they fit; nothing of reason and fix is cut. */
function failedLines(jobs: readonly JobRecord[], style: Style): string[] {
  const look = lookOf(style);
  const room = roomOf(style);
  const names = Math.max(6, ...jobs.map(({ source }) => width(printable(source))));
  const beside = room - names - 15;
  if (beside >= 30) {
    const rows = jobs.flatMap(({ source, attempts, error }) => {
      const words = [...wrap(reasonOf(source, error ?? undefined), beside), ...fixOf(error, beside)];
      return words.map((text, at): Span[] =>
        at === 0 ? [printable(source), count(attempts), text] : ['', '', text],
      );
    });
    const columns = [{ title: 'FAILED' }, { title: 'ATTEMPTS', align: 'right' as const }, { title: 'ERROR' }];
    return indented(table(columns, rows, { ...style, columns: () => columnsOf(style) - 2 }));
  }
  return [
    line(['  ', { text: 'FAILED', paint: look.chalk.bold }], room, look),
    ...jobs.flatMap(({ source, error }) => [
      ...wrap(printable(source), room - 2).map((text) => `  ${text}`),
      ...wrap(reasonOf(source, error ?? undefined), room - 4).map((text) => `    ${text}`),
      ...fixOf(error, room - 4).map((text) => `    ${text}`),
    ]),
  ];
}

function fixOf(error: JobRecord['error'], columns: number): string[] {
  return error?.fix === undefined ? [] : wrap(`fix: ${printable(error.fix)}`, columns);
}

function allLines(jobs: readonly JobRecord[], style: Style): string[] {
  const look = lookOf(style);
  const rows = jobs.map((job): Span[] => [
    { text: job.state, paint: paintOf(job.state, look) },
    job.bytes === null ? '-' : bytes(job.bytes),
    count(job.outputs.length),
    job.ms === null ? '-' : duration(job.ms.total),
    `${printable(job.source)}${job.degraded ? ' (damaged but accepted)' : ''}`,
  ]);
  const right = { align: 'right' } as const;
  const columns = [
    { title: 'STATE' },
    { title: 'SIZE', ...right },
    { title: 'OUTPUTS', ...right },
    { title: 'TIME', ...right },
    { title: 'SOURCE' },
  ];
  return indented(table(columns, rows, { ...style, columns: () => columnsOf(style) - 2 }));
}

function nextLines({ id, state, counts, command }: Batch, room: number): string[] {
  const again = command === 'watch' ? 'Run the same command again to go on.' : `Go on: imgtool resume ${id}`;
  const lines = [
    ...(state === 'cancelled' || state === 'interrupted' ? wrap(again, room) : []),
    ...(counts.failed > 0 && state !== 'running' ? wrap(`Retry the failed: imgtool retry ${id}`, room) : []),
  ];
  return lines.length === 0 ? [] : ['', ...lines];
}

function indented(text: string): string[] {
  return text
    .trimEnd()
    .split('\n')
    .map((row) => `  ${row}`);
}
