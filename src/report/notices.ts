import type { Event, JobEvent, Style } from '../model.ts';
import { bytes, count, counted, duration, pause } from './format.ts';
import { type Look, line, lookOf, paintOf, roomOf } from './look.ts';
import { printable } from './printable.ts';
import { profileLines } from './profile.ts';
import { cutStart, width, wrap } from './text.ts';
import { reasonOf } from './wording.ts';

const NARROW = 60;

/** What is said for good above the live part: failures, warnings, that it is stopping; with `verbose` every job. */
export function noticeLines(event: Event, verbose: boolean, style: Style): string[] {
  const look = lookOf(style);
  // The rest of the line is cleared after it, which would take a character in the last column with it.
  const room = roomOf(style) - 1;
  switch (event.type) {
    case 'job':
      return jobLines(event, verbose, room, look);
    case 'job.retrying': {
      if (!verbose) return [];
      const reason = `again in ${pause(event.delay)}: ${reasonOf(event.source, event.error)}`;
      return [noticeLine('retrying', event.source, reason, room, look)];
    }
    case 'passed_over':
      return verbose ? [noticeLine('unchanged', event.path, `passed over: ${event.reason}`, room, look)] : [];
    case 'warning': {
      const fix = event.fix === undefined ? [] : wrap(`fix: ${printable(event.fix)}`, room - 3);
      const [first = '', ...more] = [...wrap(printable(event.message), room - 3), ...fix];
      return [` ${look.chalk.yellow(look.marks.warning)} ${first}`, ...more.map((text) => `   ${text}`)];
    }
    case 'profile':
      return ['', ...profileLines(event).map((text) => line([` ${text}`], room, look))];
    case 'stopping': {
      const text = `Stopping: finishing ${counted(event.finishing, 'image')}, dropping ${count(event.dropping)}.`;
      return wrap(`${text} Press Ctrl-C again to force.`, room - 1).map(
        (part) => ` ${look.chalk.yellow(part)}`,
      );
    }
    default:
      return [];
  }
}

function jobLines(event: JobEvent, verbose: boolean, room: number, look: Look): string[] {
  if (!verbose && event.state !== 'failed') return [];
  const first = noticeLine(event.state, event.source, outcomeOf(event), room, look);
  if (event.state !== 'failed' || room >= NARROW) return [first];
  // On a narrow screen a name and a reason on one line would leave little of either.
  const name = noticeLine('failed', event.source, '', room, look).trimEnd();
  return [name, ...wrap(outcomeOf(event), room - 3).map((text) => `   ${text}`)];
}

/** What came of a job: `4 outputs   3.1 MB -> 402 kB   0.4s`, `same as a.jpg`, a reason. */
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
  look: Look,
): string {
  const mark = { text: ` ${look.marks[state]} `, paint: paintOf(state, look) };
  // The name gives way first, down to a third of the line: the reason is what is new.
  const most = Math.max(Math.floor(room / 3), room - width(text) - width(mark.text) - 2);
  return line([mark, cutStart(printable(source), most, look.ellipsis), '  ', text], room, look);
}
