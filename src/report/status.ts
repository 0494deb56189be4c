import { resolve } from 'node:path';
import { ENDED_STATES, totalOf } from '../model/totals.ts';
import type { Batch, JobRecord, Style } from '../model.ts';
import { bytes, change, count, duration, localTime } from './format.ts';
import { table } from './table.ts';
import { printable, width, wrap } from './text.ts';
import {
  columnsOf,
  fitting,
  line,
  packed,
  paintOf,
  roomOf,
  type Span,
  type Theme,
  themeOf,
} from './theme.ts';
import { passedOverText, reasonOf } from './wording.ts';

/**
 * One batch for a person: its settings, its counts and its failed jobs, or with `all` every job that is kept. Paths are
 * absolute. Ends with a newline.
 */
export function statusText(
  batch: Batch,
  failed: readonly JobRecord[],
  style: Style,
  now: number,
  all?: readonly JobRecord[],
): string {
  const theme = themeOf(style);
  const room = roomOf(style);
  const lines = [
    ...packed(
      [{ text: `Batch ${batch.id}`, paint: theme.chalk.bold }, '   '],
      headPieces(batch, theme),
      room,
      theme,
    ),
    ...packed(['  started  '], startedPieces(batch, now), room, theme),
    ...packed(['  images   '], imagePieces(batch, theme), room, theme),
    ...packed(['  size     '], sizePieces(batch), room, theme),
    ...passedOverLines(batch, room, theme),
  ];
  const jobs = all ?? failed;
  const table = jobs.length === 0 ? [] : ['', ...(all ? allLines(jobs, style) : failedLines(jobs, style))];
  return [...lines, ...table, ...nextLines(batch, room)].map((text) => `${text}\n`).join('');
}

function headPieces(batch: Batch, theme: Theme): Span[] {
  const failed = batch.counts.failed > 0 ? `, ${count(batch.counts.failed)} failed` : '';
  const state = {
    text: `${batch.state}${failed}`,
    paint: failed === '' ? theme.chalk.green : theme.chalk.red,
  };
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

function imagePieces({ counts, walkEnded, state }: Batch, theme: Theme): Span[] {
  const total = totalOf(counts);
  const waiting = (['pending', 'processing', 'retrying'] as const).filter((one) => counts[one] > 0);
  const soFar = walkEnded || state === 'finished' ? '' : ' found so far';
  return [
    `${count(total)}${soFar} `,
    ...ENDED_STATES.filter((one) => counts[one] > 0).map((one) => {
      return { text: `${count(counts[one])} ${one}`, paint: paintOf(one, theme) };
    }),
    ...waiting.map((one) => `${count(counts[one])} ${one}`),
  ];
}

function sizePieces({ bytesIn, bytesOut }: Batch): Span[] {
  if (bytesIn === 0) return [];
  return [`${bytes(bytesIn)} -> ${bytes(bytesOut)} (${change(bytesIn, bytesOut)})`];
}

function passedOverLines({ passedOver }: Batch, room: number, theme: Theme): string[] {
  if (passedOver === 0) return [];
  return [fitting([[`  aside    ${passedOverText(passedOver, new Map())}`]], room, theme)];
}

/** Name, attempts and reason, in columns where they fit. Reason and fix are never cut. */
function failedLines(jobs: readonly JobRecord[], style: Style): string[] {
  const theme = themeOf(style);
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
    line(['  ', { text: 'FAILED', paint: theme.chalk.bold }], room, theme),
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
  const theme = themeOf(style);
  const rows = jobs.map((job): Span[] => [
    { text: job.state, paint: paintOf(job.state, theme) },
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
