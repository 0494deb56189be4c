import type { Event, JobEvent, Style } from '../model.ts';
import { bytes, count, counted, duration, pause } from './format.ts';
import { profileLines } from './profile.ts';
import { cutStart, printable, width, wrap } from './text.ts';
import { line, paintOf, roomOf, type Theme, themeOf } from './theme.ts';
import { reasonOf } from './wording.ts';

const NARROW = 60;

/** The lines that stay above the live ones: failures, warnings and the stop; with `verbose`, every job. */
export function noticeLines(event: Event, verbose: boolean, style: Style): string[] {
  const theme = themeOf(style);
  // Terminals do not agree on where the cursor is after a character in the last column.
  const room = roomOf(style) - 1;
  switch (event.type) {
    case 'job':
      return jobLines(event, verbose, room, theme);
    case 'job.retrying': {
      if (!verbose) return [];
      const reason = `again in ${pause(event.delay)}: ${reasonOf(event.source, event.error)}`;
      return [noticeLine('retrying', event.source, reason, room, theme)];
    }
    case 'passed_over':
      return verbose
        ? [noticeLine('unchanged', event.path, `passed over: ${event.reason}`, room, theme)]
        : [];
    case 'warning': {
      const fix = event.fix === undefined ? [] : wrap(`fix: ${printable(event.fix)}`, room - 3);
      const [first = '', ...more] = [...wrap(printable(event.message), room - 3), ...fix];
      return [` ${theme.chalk.yellow(theme.marks.warning)} ${first}`, ...more.map((text) => `   ${text}`)];
    }
    case 'profile':
      return ['', ...profileLines(event).map((text) => line([` ${text}`], room, theme))];
    case 'stopping': {
      const text = `Stopping: finishing ${counted(event.finishing, 'image')}, dropping ${count(event.dropping)}.`;
      return wrap(`${text} Press Ctrl-C again to force.`, room - 1).map(
        (part) => ` ${theme.chalk.yellow(part)}`,
      );
    }
    default:
      return [];
  }
}

function jobLines(event: JobEvent, verbose: boolean, room: number, theme: Theme): string[] {
  if (!verbose && event.state !== 'failed') return [];
  const first = noticeLine(event.state, event.source, outcomeOf(event), room, theme);
  if (event.state !== 'failed' || room >= NARROW) return [first];
  // On a narrow terminal, one line has no space for both a name and a reason.
  const name = noticeLine('failed', event.source, '', room, theme).trimEnd();
  return [name, ...wrap(outcomeOf(event), room - 3).map((text) => `   ${text}`)];
}

/** The result of a job: `4 outputs   3.1 MB -> 402 kB   0.4s`, `same as a.jpg`, a reason. */
export function outcomeOf(event: JobEvent): string {
  if (event.state === 'failed') return reasonOf(event.source, event.error);
  if (event.state === 'duplicate') return `same as ${printable(event.duplicateOf ?? 'another')}`;
  if (event.state !== 'completed') return event.state;
  const { outputs = [], ms, reused, would } = event;
  if (would !== undefined) return `would ${would}`;
  const made = outputs.reduce((sum, output) => sum + output.bytes, 0);
  const size = event.bytes === undefined ? '' : `   ${bytes(event.bytes)} -> ${bytes(made)}`;
  const time = ms === undefined ? '' : `   ${duration(ms.total)}`;
  return `${counted(outputs.length, 'output')}${reused ? ' reused' : ''}${size}${time}`;
}

function noticeLine(
  state: JobEvent['state'] | 'retrying',
  source: string,
  text: string,
  room: number,
  theme: Theme,
): string {
  const mark = { text: ` ${theme.marks[state]} `, paint: paintOf(state, theme) };
  // The reason matters most: the name is cut first, down to a third of the line.
  const most = Math.max(Math.floor(room / 3), room - width(text) - width(mark.text) - 2);
  return line([mark, cutStart(printable(source), most, theme.ellipsis), '  ', text], room, theme);
}
