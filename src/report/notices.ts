import { bytesOf } from '../model/totals.ts';
import type { Event, JobEvent, Style } from '../model.ts';
import { bytes, count, counted, duration } from './format.ts';
import { layoutFor, line, markOf, stateSpan, type TextLayout } from './layout.ts';
import { profileLines } from './profile.ts';
import { cutStart, printable, width, wrap } from './text.ts';
import { fixOf, isForeseen, newIndexText, pagesText, reasonOf, retryText, whyPassedOver } from './wording.ts';

const NARROW = 60;

/** The lines that stay above the live ones: failures, warnings and the stop; with `verbose`, every job. */
export function noticeLines(event: Event, verbose: boolean, style: Style): string[] {
  const full = layoutFor(style);
  const { columns: room, chalk } = full;
  // Terminals do not agree on where the cursor is after a character in the last column.
  const layout = { ...full, columns: room - 1 };
  switch (event.type) {
    case 'job':
      return jobLines(event, verbose, layout);
    case 'job.retrying':
      return verbose ? [noticeLine('retrying', event.source, retryText(event), layout)] : [];
    case 'passed_over':
      return verbose
        ? [noticeLine('unchanged', event.path, `passed over: ${whyPassedOver(event)}`, layout)]
        : [];
    case 'removed': {
      const word = event.dryRun ? 'would remove' : 'removed';
      const shown = verbose || event.dryRun ? event.paths : [];
      return shown.map((path) =>
        line([` - ${word} `, cutStart(printable(path), room - 18, full.ellipsis)], layout),
      );
    }
    case 'warning': {
      const words = [printable(event.message), ...fixOf(event)];
      const [first = '', ...more] = words.flatMap((text) => wrap(text, layout.columns, '   '));
      return [` ${chalk.yellow(markOf('warning', layout))} ${first.slice(3)}`, ...more];
    }
    case 'batch.started':
      return newIndexText(event).flatMap((text) => wrap(text, layout.columns, '   '));
    case 'profile':
      return ['', ...profileLines(event).map((text) => line([` ${text}`], layout))];
    case 'stopping': {
      const text = `Stopping: finishing ${counted(event.finishing, 'image')}, dropping ${count(event.dropping)}.`;
      const lines = wrap(`${text} Press Ctrl-C again to force.`, layout.columns - 1);
      return lines.map((part) => ` ${chalk.yellow(part)}`);
    }
    default:
      return [];
  }
}

function jobLines(event: JobEvent, verbose: boolean, layout: TextLayout): string[] {
  if (!verbose && event.state !== 'failed') return [];
  const outcome = outcomeOf(event);
  if (event.state !== 'failed' || layout.columns >= NARROW) {
    return [noticeLine(isForeseen(event) ? 'pending' : event.state, event.source, outcome, layout)];
  }
  // On a narrow terminal, one line has no space for both a name and a reason.
  const name = noticeLine('failed', event.source, '', layout).trimEnd();
  return [name, ...wrap(outcome, layout.columns, '   ')];
}

/** The result of a job: `4 outputs   3.1 MB -> 402 kB   0.4s`, `same as a.jpg`, a reason. */
export function outcomeOf(event: JobEvent): string {
  const { source, state, error, duplicateOf, outputs = [], ms, pages, reused, would } = event;
  if (state === 'failed') return reasonOf(source, error);
  if (state === 'duplicate') return `same as ${printable(duplicateOf ?? 'another')}`;
  if (isForeseen(event)) return `would ${would}`;
  if (state !== 'completed') return state;
  const size = event.bytes === undefined ? '' : `   ${bytes(event.bytes)} -> ${bytes(bytesOf(outputs))}`;
  const time = ms === undefined ? '' : `   ${duration(ms.total)}`;
  const first = pages === undefined ? '' : `   ${pagesText({ ...event, pages })}`;
  return `${counted(outputs.length, 'output')}${reused ? ' reused' : ''}${size}${time}${first}`;
}

function noticeLine(
  state: JobEvent['state'] | 'retrying' | 'pending',
  source: string,
  text: string,
  layout: TextLayout,
) {
  const { columns, ellipsis } = layout;
  const mark = stateSpan(state, ` ${markOf(state, layout)} `, layout);
  // The reason matters most: the name is cut first, down to a third of the line.
  const most = Math.max(Math.floor(columns / 3), columns - width(text) - width(mark.text) - 2);
  return line([mark, cutStart(printable(source), most, ellipsis), '  ', text], layout);
}
