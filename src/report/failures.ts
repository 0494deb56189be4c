import { count } from './format.ts';
import { type Look, line } from './look.ts';
import { printable } from './printable.ts';
import type { Tally } from './tally.ts';
import { cutStart, padEnd, width, wrap } from './text.ts';
import { reasonOf } from './wording.ts';

interface Failed {
  readonly name: string;
  readonly reason: string;
  readonly fix: string | undefined;
}

/** The failures at the end of a batch: name, what was wrong, what to do; nothing of the last two is cut off. */
export function failureLines(tally: Tally, batch: string, room: number, look: Look): string[] {
  // They come in the order in which they happened to end.
  const sorted = [...tally.failed].sort((a, b) => (a.source < b.source ? -1 : 1));
  const failed = sorted.map(({ source, error }): Failed => {
    return { name: printable(source), reason: reasonOf(source, error), fix: error?.fix };
  });
  const title = { text: ` Failed (${count(tally.failures)})`, paint: look.chalk.red };
  const more = tally.failures - failed.length;
  const rest = more === 0 ? [] : wrap(`... and ${count(more)} more: imgtool status ${batch}`, room - 3);
  const names = Math.min(
    Math.max(...failed.map(({ name }) => width(name))),
    Math.floor(Math.min(room, 100) / 3),
  );
  const beside = room - names - 5;
  return [
    line([title], room, look),
    ...failed.flatMap((one) => (beside < 30 ? below(one, room, look) : besides(one, names, room, look))),
    ...rest.map((text) => `   ${text}`),
  ];
}

/** Name on the left, words on the right. */
function besides({ name, reason, fix }: Failed, names: number, room: number, look: Look): string[] {
  const indent = ' '.repeat(names + 5);
  const [first = '', ...others] = wrap(reason, room - names - 5);
  return [
    `   ${padEnd(cutStart(name, names, look.ellipsis), names)}  ${first}`,
    ...others.map((text) => indent + text),
    ...fixLines(fix, room, indent, look),
  ];
}

/** On a narrow screen the words stand under the name. */
function below({ name, reason, fix }: Failed, room: number, look: Look): string[] {
  return [
    `   ${cutStart(name, room - 3, look.ellipsis)}`,
    ...wrap(reason, room - 5).map((text) => `     ${text}`),
    ...fixLines(fix, room, '     ', look),
  ];
}

/** What to do about it, indented. */
export function fixLines(fix: string | undefined, room: number, indent: string, look: Look): string[] {
  if (fix === undefined) return [];
  return wrap(`fix: ${printable(fix)}`, room - indent.length).map((text) => indent + look.chalk.dim(text));
}
