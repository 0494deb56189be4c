import type { FailureGroup } from '../model/failures.ts';
import { type BatchTotals, bytesOf, doneOf, totalOf } from '../model/totals.ts';
import type { BatchFinished, BatchStarted, Event, Removed, Report } from '../model.ts';
import { bytes, change, compact, count, countdown, counted, duration, pause, rate } from './format.ts';
import { profileLines } from './profile.ts';
import { createProgress, type Progress } from './progress.ts';
import { printable, textOf } from './text.ts';
import {
  countsInPlain,
  damagedTexts,
  dryRunText,
  endedEarly,
  firstOnlyTexts,
  fixOf,
  isForeseen,
  NO_RETRY,
  newIndexText,
  outputNote,
  passedOverTexts,
  reasonOf,
  removedTexts,
  retryHelps,
  taggedTexts,
  unknownTexts,
  whyPassedOver,
} from './wording.ts';

export interface PlainReportOptions {
  readonly stream: NodeJS.WritableStream;
  readonly verbose: boolean;
  readonly quiet: boolean;
  /** Milliseconds between two progress lines. */
  readonly every?: number;
}

/** The report of a batch for logs and pipes, without control codes. `quiet`: errors and warnings alone. `verbose`: all jobs. */
export function createPlainReport(options: PlainReportOptions): Report {
  const { stream, verbose, quiet, every = 10_000 } = options;
  const progress = createProgress();
  const { totals } = progress;
  const say = (lines: readonly string[]) => {
    if (lines.length > 0) stream.write(textOf(lines.map((text) => `imgtool: ${text}`)));
  };
  const tick = () => {
    if (totals.stopping === null) say([progressLine(progress, performance.now())]);
  };
  let timer: NodeJS.Timeout | undefined;

  return {
    event(event) {
      progress.event(event, performance.now());
      say(urgentLines(event, totals));
      if (quiet) return;
      if (event.type === 'removed') say(removedLines(event));
      if (event.type === 'profile') say(profileLines(event));
      else if (verbose) say(verboseLines(event));
      if (event.type === 'batch.started') {
        say([startLine(event), ...newIndexText(event)]);
        timer ??= setInterval(tick, every).unref();
      } else if (event.type === 'stopping') {
        say([`stopping: finishing ${event.finishing}, dropping ${event.dropping}`]);
      } else if (event.type === 'batch.finished') {
        clearInterval(timer);
        say(closingLines(totals, event));
      }
    },
    close() {
      clearInterval(timer);
    },
  };
}

function startLine({ batch, total, bytes: size, out, jobs, resumed, dryRun }: BatchStarted): string {
  const all = counted(total ?? 0, 'image');
  const known = resumed ? `${all} left` : `${all}, ${bytes(size)}`;
  const images = total === null ? 'still looking for images' : known;
  const name = dryRun ? 'dry run' : `batch ${batch}`;
  return `${name}: ${images}, out=${printable(out)}, jobs=${jobs}`;
}

function progressLine(progress: Progress, now: number): string {
  const { done, total, ended, found, started, removed } = progress.totals;
  if (started?.dryRun) return `${done} looked at so far: ${dryRunText(progress.totals)}`;
  const pace = rate(progress.rate(now));
  if (progress.isRemoving()) return `${done}/${total} done, removing outputs: ${count(removed)} so far`;
  if (total === null) return `${done} done, ${found} found so far ${countsInPlain(ended)} ${pace}`;
  const share = Math.floor((progress.share() ?? 0) * 100);
  const left = progress.left(now);
  const eta = left === null ? countdown(left) : `${Math.ceil(left / 1000)}s`;
  return `${done}/${total} ${share}% ${countsInPlain(ended)} ${pace} eta=${eta}`;
}

/** Warnings and failures. The fix of a cause is given once. */
function urgentLines(event: Event, { failures }: BatchTotals): string[] {
  if (event.type === 'warning') return [`warning: ${printable(event.message)}`, ...fixOf(event)];
  if (event.type !== 'job' || event.state !== 'failed') return [];
  const { source, error } = event;
  const fix = failures.countLike(event) > 1 ? [] : fixOf(error);
  return [`error: ${printable(source)}: ${reasonOf(source, error)}`, ...fix];
}

function removedLines({ paths, dryRun }: Removed): string[] {
  return paths.map((path) => `${dryRun ? 'would remove' : 'removed'} ${printable(path)}`);
}

function verboseLines(event: Event): string[] {
  if (event.type === 'passed_over') return [`passed over ${printable(event.path)}: ${whyPassedOver(event)}`];
  if (event.type === 'job.retrying') {
    const { source, error, attempts, delay } = event;
    const when = `attempts=${attempts} delay=${pause(delay)}`;
    return [`retrying ${printable(source)}: ${reasonOf(source, error)} ${when}`];
  }
  if (event.type !== 'job' || event.state === 'failed') return [];
  const { source, state, outputs, bytes: size, ms, duplicateOf, pages, reused, degraded, would } = event;
  const facts = [
    duplicateOf === undefined ? '' : ` of=${printable(duplicateOf)}`,
    outputs === undefined ? '' : ` outputs=${outputs.length}`,
    size === undefined ? '' : ` in=${size}`,
    outputs === undefined ? '' : ` out=${bytesOf(outputs)}`,
    ms === undefined ? '' : ` ms=${Math.round(ms.total)}`,
    pages === undefined ? '' : ` pages=${pages}`,
    reused ? ' reused' : '',
    event.tagged ? ' tagged' : '',
    degraded ? ' degraded' : '',
  ];
  return [`${isForeseen(event) ? `would ${would}` : state} ${printable(source)}${facts.join('')}`];
}

function closingLines(totals: BatchTotals, finished: BatchFinished): string[] {
  const { counts, ms, state, batch, dryRun } = finished;
  const total = totalOf(counts);
  const aside = [
    ...unknownTexts(totals),
    ...taggedTexts(totals),
    ...damagedTexts(finished.degraded, totals.damaged),
    ...firstOnlyTexts(totals.severalPages, totals.renderedPages),
    ...removedTexts(totals),
    ...passedOverTexts(finished.passedOver, totals.aside),
  ];
  if (total === 0) return ['no images found', ...aside];
  const isEarly = endedEarly(finished) !== null;
  if (dryRun) {
    const far = isEarly ? `stopped after ${total}` : `of ${total}`;
    return [`dry run ${far} in ${duration(ms)}: ${dryRunText(totals)}`, ...aside];
  }
  const ending = isEarly ? `${state} after ${doneOf(counts)} of ${total}` : `finished ${total}`;
  const reused = totals.reused > 0 ? ` reused=${totals.reused}` : '';
  const degraded = totals.degraded > 0 ? ` degraded=${totals.degraded}` : '';
  const helps = retryHelps(totals, counts);
  const again = helps === undefined ? '' : helps ? `, again: imgtool retry ${batch}` : `. ${NO_RETRY}`;
  return [
    `${ending} in ${duration(ms)}: ${countsInPlain(counts)}${reused}${degraded}`,
    ...sizeLines(totals, finished),
    ...aside,
    ...groupLines(totals, counts.failed),
    ...(isEarly ? [`run the same command again to go on, or: imgtool resume ${batch}`] : []),
    ...(counts.failed === 0 ? [] : [`failures: imgtool status ${batch}${again}`]),
  ];
}

/** Failures with the same cause, each cause in one line, and the number of the others if there are both. */
function groupLines({ failures }: BatchTotals, failed: number): string[] {
  const groups = failures.all.filter((group) => group.count > 1);
  const others = failed - groups.reduce((sum, group) => sum + group.count, 0);
  return [
    ...groups.map(groupLine),
    ...(groups.length > 0 && others > 0 ? [`${others} ${others === 1 ? 'other' : 'others'} failed`] : []),
  ];
}

function groupLine({ count, error, sources }: FailureGroup): string {
  const names = `${sources.map(printable).join(', ')}${count > sources.length ? ', ...' : ''}`;
  return `${count} failed: ${printable(error.message)}: ${names}`;
}

function sizeLines(totals: BatchTotals, { bytesIn, bytesOut }: BatchFinished): string[] {
  if (bytesIn === 0) return [];
  const saved = bytesIn - bytesOut;
  const word = saved >= 0 ? `saved=${compact(saved)}` : `grown=${compact(-saved)}`;
  const percent = change(bytesIn, bytesOut).replace(/^[-+]/, '');
  const outputs = `outputs=${totals.files}${outputNote(totals)} out=${printable(totals.started?.out ?? '')}`;
  return [`size ${compact(bytesIn)} -> ${compact(bytesOut)} ${word} (${percent}) ${outputs}`];
}
