import type { BatchTotals } from '../model/totals.ts';
import { count } from './format.ts';
import { cutStart, padEnd, printable, width, wrap } from './text.ts';
import { line, type Theme } from './theme.ts';
import { reasonOf } from './wording.ts';

interface Failed {
  readonly name: string;
  readonly reason: string;
  readonly fix: string | undefined;
}

/** The failed images of a batch with reason and fix. A long name is cut; reason and fix are not. */
export function failureLines(totals: BatchTotals, room: number, theme: Theme): string[] {
  const sorted = [...totals.failures].sort((a, b) => (a.source < b.source ? -1 : 1));
  const failed = sorted.map(({ source, error }): Failed => {
    return { name: printable(source), reason: reasonOf(source, error), fix: error?.fix };
  });
  const title = { text: ` Failed (${count(totals.ended.failed)})`, paint: theme.chalk.red };
  const more = totals.ended.failed - failed.length;
  const rest =
    more === 0 ? [] : wrap(`... and ${count(more)} more: imgtool status ${totals.started?.batch}`, room - 3);
  const names = Math.min(
    Math.max(...failed.map(({ name }) => width(name))),
    Math.floor(Math.min(room, 100) / 3),
  );
  const beside = room - names - 5;
  return [
    line([title], room, theme),
    ...failed.flatMap((one) => (beside < 30 ? below(one, room, theme) : besides(one, names, room, theme))),
    ...rest.map((text) => `   ${text}`),
  ];
}

/** The name on the left, reason and fix on the right. */
function besides({ name, reason, fix }: Failed, names: number, room: number, theme: Theme): string[] {
  const indent = ' '.repeat(names + 5);
  const [first = '', ...others] = wrap(reason, room - names - 5);
  return [
    `   ${padEnd(cutStart(name, names, theme.ellipsis), names)}  ${first}`,
    ...others.map((text) => indent + text),
    ...fixLines(fix, room, indent, theme),
  ];
}

/** On a narrow terminal, reason and fix stand below the name. */
function below({ name, reason, fix }: Failed, room: number, theme: Theme): string[] {
  return [
    `   ${cutStart(name, room - 3, theme.ellipsis)}`,
    ...wrap(reason, room - 5).map((text) => `     ${text}`),
    ...fixLines(fix, room, '     ', theme),
  ];
}

/** The fix of an error, indented. */
export function fixLines(fix: string | undefined, room: number, indent: string, theme: Theme): string[] {
  if (fix === undefined) return [];
  return wrap(`fix: ${printable(fix)}`, room - indent.length).map((text) => indent + theme.chalk.dim(text));
}
