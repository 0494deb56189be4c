import { resolve } from 'node:path';
import { isLasting } from '../model/failures.ts';
import { askedPages } from '../model/picture.ts';
import { doneOf, totalOf } from '../model/totals.ts';
import { ACTIVE_STATES, type Batch, ENDED_STATES, type JobRecord, type Style } from '../model.ts';
import { bytes, change, count, counted, duration, localTime } from './format.ts';
import { layoutFor, line, packed, type Span, stateSpan, type TextLayout, table } from './layout.ts';
import { printable, textOf, widest, wrap } from './text.ts';
import {
  damagedTexts,
  firstOnlyTexts,
  fixOf,
  goOn,
  NO_RETRY,
  pagesText,
  passedOverTexts,
  reasonOf,
} from './wording.ts';

/** How many damaged sources are named without `all`. */
const NAMED = 3;

/** What a status shows beside its batch and the jobs. */
interface StatusParts {
  /** Whether the jobs are all jobs, and not only the failed ones. */
  readonly all?: boolean;
  /** Numbers of sources with several frames or pages of which some output has only the first, by format. */
  readonly severalPages?: ReadonlyMap<string, number>;
  /** The damaged sources that have outputs. */
  readonly degraded?: readonly string[];
  /** Lines above the jobs. */
  readonly live?: readonly string[];
}

/** One batch for a person: its settings, its counts and its jobs. Paths are absolute. Ends with a newline. */
export function statusText(
  batch: Batch,
  jobs: readonly JobRecord[],
  style: Style,
  now: number,
  { all = false, severalPages = new Map(), degraded = [], live = [] }: StatusParts = {},
) {
  const layout = layoutFor(style);
  const rendered = askedPages(batch.options.preset.variants);
  const named = all ? degraded : degraded.slice(0, NAMED);
  const others = named.length < degraded.length ? '; --all names them' : '';
  const aside = [
    ...damagedTexts(degraded.length, named).map((text) => text + others),
    ...firstOnlyTexts(severalPages, rendered),
    ...passedOverTexts(batch.passedOver, batch.aside),
  ];
  const id = { text: `Batch ${batch.id}`, paint: layout.chalk.bold };
  const lines = [
    ...packed([id, '   '], headPieces(batch, layout), layout),
    ...packed(['  started  '], startedPieces(batch, now), layout),
    ...packed(['  images   '], imagePieces(batch, layout), layout),
    ...packed(['  size     '], sizePieces(batch), layout),
    ...aside.flatMap((text) => asideLines(text, layout)),
    ...live,
    ...(jobs.length === 0
      ? []
      : ['', ...(all ? allLines(jobs, rendered, layout) : failedLines(jobs, layout))]),
  ];
  const next = nextSentences(batch, jobs, all).flatMap((text) => wrap(text, layout.columns));
  return textOf([...lines, ...(next.length === 0 ? [] : ['', ...next])]);
}

function asideLines(text: string, { columns }: TextLayout): string[] {
  const label = '  aside    ';
  const [first = '', ...more] = wrap(text, columns, ' '.repeat(label.length));
  return [label + first.slice(label.length), ...more];
}

function headPieces({ counts, state, command, inputs, cwd, out }: Batch, { chalk }: TextLayout): Span[] {
  const { failed } = counts;
  const text = failed > 0 ? `${state}, ${count(failed)} failed` : state;
  const head = { text, paint: failed > 0 ? chalk.red : chalk.green };
  if (command === 'upload') return [head, `of ${printable(inputs[0] ?? '')}`, `-> bucket ${printable(out)}`];
  const paths = inputs.map((input) => printable(input === '-' ? input : resolve(cwd, input)));
  const [first = '', ...others] = paths;
  const from = others.length === 0 ? first : `${first} and ${count(others.length)} more`;
  return [head, from, `-> ${printable(out)}`];
}

function startedPieces({ startedAt, finishedAt, state, preset, jobs, command }: Batch, now: number): Span[] {
  const end = finishedAt ?? (state === 'running' ? now : null);
  const took = end === null ? '' : ` (${duration(Math.max(0, end - startedAt))})`;
  const when = `${localTime(startedAt)}${took}`;
  const pace = command === 'upload' ? [] : [`${count(jobs)} at a time`];
  return [when, command, `preset ${printable(preset)}`, ...pace];
}

function imagePieces({ counts, walkEnded, state }: Batch, layout: TextLayout): Span[] {
  const soFar = walkEnded || state === 'finished' ? '' : ' found so far';
  const ended = ENDED_STATES.filter((one) => counts[one] > 0).map((one) =>
    stateSpan(one, `${count(counts[one])} ${one}`, layout),
  );
  const active = ACTIVE_STATES.filter((one) => counts[one] > 0).map((one) => `${count(counts[one])} ${one}`);
  return [`${count(totalOf(counts))}${soFar} `, ...ended, ...active];
}

function sizePieces({ bytesIn, bytesOut }: Batch): Span[] {
  if (bytesIn === 0) return [];
  return [`${bytes(bytesIn)} -> ${bytes(bytesOut)} (${change(bytesIn, bytesOut)})`];
}

/** Name, attempts and reason, in columns where they fit. Reason and fix are never cut. Equal fixes are shown once. */
function failedLines(jobs: readonly JobRecord[], layout: TextLayout): string[] {
  const { columns, chalk } = layout;
  const names = Math.max(6, widest(jobs.map(({ source }) => printable(source))));
  const beside = columns - names - 15;
  const wordsOf = reasonsOnce();
  if (beside >= 30) {
    const rows = jobs.flatMap((job) => {
      const [first = '', ...more] = wordsOf(job, beside);
      return [[printable(job.source), count(job.attempts), first], ...more.map((text) => ['', '', text])];
    });
    return indentedTable(['FAILED', 'ATTEMPTS', 'ERROR'], rows, layout, ['ATTEMPTS']);
  }
  return [
    line(['  ', { text: 'FAILED', paint: chalk.bold }], layout),
    ...jobs.flatMap((job) => [
      ...wrap(printable(job.source), columns, '  '),
      ...wordsOf(job, columns, '    '),
    ]),
  ];
}

/** Words the error of one job after another. A fix that several have is given once. */
function reasonsOnce() {
  const given = new Set<string>();
  return ({ source, error }: JobRecord, room: number, indent = ''): string[] => {
    const fixes = fixOf(error).filter((fix) => !given.has(fix));
    for (const fix of fixes) given.add(fix);
    return [reasonOf(source, error ?? undefined), ...fixes].flatMap((text) => wrap(text, room, indent));
  };
}

/** One row for each job. Below it, never cut, are the paths of its outputs, or why it failed. */
function allLines(jobs: readonly JobRecord[], rendered: readonly number[], layout: TextLayout): string[] {
  const rows = jobs.map((job): Span[] => [
    stateSpan(job.state, job.state, layout),
    job.bytes === null ? '-' : bytes(job.bytes),
    count(job.outputs.length),
    job.ms === null ? '-' : duration(job.ms.total),
    `${printable(job.source)}${job.degraded ? ' (damaged)' : ''}${severalPagesOf(job, rendered)}`,
  ]);
  const titles = ['STATE', 'SIZE', 'OUTPUTS', 'TIME', 'SOURCE'];
  const [head = '', ...lines] = indentedTable(titles, rows, layout, ['SIZE', 'OUTPUTS', 'TIME']);
  const wordsOf = reasonsOnce();
  const below = jobs.map((job) =>
    job.error === null
      ? job.outputs.flatMap(({ path }) => wrap(printable(path), layout.columns, '    '))
      : wordsOf(job, layout.columns, '    '),
  );
  return [head, ...lines.flatMap((row, at) => [row, ...(below[at] ?? [])])];
}

function severalPagesOf({ pages, format, outputs }: JobRecord, renderedPages: readonly number[]): string {
  return pages === null || pages === 1 ? '' : ` (${pagesText({ pages, format, outputs, renderedPages })})`;
}

function indentedTable(...[titles, rows, layout, right]: Parameters<typeof table>): string[] {
  const lines = table(titles, rows, { ...layout, columns: layout.columns - 2 }, right);
  return lines.map((row) => `  ${row}`);
}

function nextSentences(batch: Batch, jobs: readonly JobRecord[], all: boolean): string[] {
  const { counts, state, id, out } = batch;
  const isRetryable = counts.failed > jobs.filter(({ error }) => error !== null && isLasting(error)).length;
  const retry = isRetryable ? `Retry the failed: imgtool retry ${id}` : NO_RETRY;
  return [
    // Unchanged images have no jobs.
    ...(all && counts.unchanged > 0 ? [`The outputs of unchanged images are in ${printable(out)}`] : []),
    ...goOn(batch),
    ...(counts.failed > 0 && state !== 'running' ? [retry] : []),
  ];
}

/** What `imgtool cancel` prints: the state of the batch and how to continue it. Ends with a newline. */
export function cancelledText(
  batch: Batch,
  was: 'running' | 'interrupted' | 'ended',
  style: Style,
  other?: Batch,
): string {
  const { id, state, counts } = batch;
  if (was === 'ended') {
    const running = other === undefined ? [] : [`Batch ${other.id} is running: imgtool cancel ${other.id}`];
    return wrapped([`Batch ${id} had ended (${state}): there was nothing to stop.`, ...running], style);
  }
  if (batch.command === 'watch' && was === 'running') {
    return wrapped([`Watch ${id} was stopped.`, ...goOn(batch)], style);
  }
  if (state === 'finished') return wrapped([`Batch ${id} finished before it could be stopped.`], style);
  const far = `after ${count(doneOf(counts))} of ${count(totalOf(counts))}`;
  return wrapped([`Batch ${id} ${state} ${far}.`, ...goOn(batch)], style);
}

/** What `retry` prints for a batch of the service, of which so many images wait again. Ends with a newline. */
export function retriedText(batch: Batch, images: number, style: Style): string {
  const { id, state, counts } = batch;
  if (images === 0) {
    const failed = counts.failed === 0 ? [] : [`Nothing is left of the failed ones: imgtool status ${id}`];
    return wrapped([`Batch ${id} has no images to retry.`, ...failed], style);
  }
  const when = state === 'interrupted' ? goOn(batch) : [`See them: imgtool status ${id} --watch`];
  return wrapped([`${counted(images, 'image')} of batch ${id} will be processed again.`, ...when], style);
}

/** What `resume` and `retry` print for a batch that leaves them nothing to do. Ends with a newline. */
export function nothingLeftText(batch: Batch, how: 'resume' | 'retry', style: Style, other?: Batch): string {
  const { id, state, counts } = batch;
  if (how === 'retry') {
    const failed = other && `Batch ${other.id} has failed images: imgtool retry ${other.id}`;
    return wrapped([`Batch ${id} has no failed images.`, ...goOn(batch), ...(failed ? [failed] : [])], style);
  }
  const failed = counts.failed === 0 ? [] : [`Failed images: imgtool status ${id}`];
  const left = other === undefined ? [] : [`Batch ${other.id} is ${other.state}: imgtool resume ${other.id}`];
  return wrapped([`Batch ${id} is ${state}: nothing is left to be done.`, ...failed, ...left], style);
}

function wrapped(sentences: readonly string[], style: Style): string {
  return textOf(sentences.flatMap((one) => wrap(one, layoutFor(style).columns)));
}
