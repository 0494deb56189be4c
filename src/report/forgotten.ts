import type { Forgotten } from '../model/verified.ts';
import type { Style } from '../model.ts';
import { count, counted } from './format.ts';
import { layoutFor } from './layout.ts';
import { printable, textOf, wrap } from './text.ts';

/** Paths of a kind that are listed one by one; JSON lists all. */
const MOST = 50;

/** What `forget` prints: the paths, then a summary. Ends with a newline. */
export function forgottenText({ dryRun, outputs, sources, kept }: Forgotten, style: Style): string {
  const { columns, ellipsis } = layoutFor(style);
  const listed = (word: string, paths: readonly string[]) => {
    const more = paths.length - MOST;
    const others = more > 0 ? [`${ellipsis} and ${count(more)} more; --json tells all`] : [];
    return [...paths.slice(0, MOST).map((path) => `${word} ${printable(path)}`), ...others];
  };
  const forgot = dryRun ? 'would forget' : 'forgot';
  const what = [counted(outputs.length, 'output'), counted(sources.length, 'source')].join(' and ');
  const stay = kept.length === 0 ? '' : `; what still exists stays recorded (${count(kept.length)})`;
  const lines = [
    ...listed(`${forgot} output`, outputs),
    ...listed(`${forgot} source`, sources),
    ...listed('still there:', kept),
    `${forgot} ${what}${stay}`,
  ];
  return textOf(lines.flatMap((text) => wrap(text, columns)));
}
