/** Text measured and cut by the columns it takes on a screen. */

/** One column a character, as most names are; all else is measured by tables that take longer to load than SQLite. */
const PLAIN = /^[ -~]*$/;

let measure: ((text: string) => number) | undefined;
let graphemes: Intl.Segmenter | undefined;
let isGuessed = false;

/** Called once by `widths.ts`. */
export function measureWith(by: (text: string) => number): void {
  measure = by;
}

/** What `draw` returns, drawn again when it came upon a text that could not be measured yet. */
export async function measured(draw: () => string): Promise<string> {
  isGuessed = false;
  const text = draw();
  if (!isGuessed) return text;
  await import('./widths.ts');
  return draw();
}

/** Columns the text takes. */
export function width(text: string): number {
  if (PLAIN.test(text)) return text.length;
  if (measure !== undefined) return measure(text);
  isGuessed = true;
  return text.length;
}

/** The text, its end replaced by `ellipsis` where it would take more columns. */
export function cut(text: string, columns: number, ellipsis = '…'): string {
  if (width(text) <= columns) return text;
  return taken(
    clusters(text),
    columns - width(ellipsis),
    columns,
    ellipsis,
    (kept) => kept.join('') + ellipsis,
  );
}

/** As `cut`, but the end stays: what tells one path from another. */
export function cutStart(text: string, columns: number, ellipsis = '…'): string {
  if (width(text) <= columns) return text;
  const backwards = clusters(text).reverse();
  return taken(backwards, columns - width(ellipsis), columns, ellipsis, (kept) => {
    return ellipsis + kept.reverse().join('');
  });
}

/** Breaks at spaces, and within a word only where it is longer than a line. */
export function wrap(text: string, columns: number): string[] {
  if (width(text) <= columns) return [text];
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (width(longer) <= columns) {
      line = longer;
      continue;
    }
    if (line !== '') lines.push(line);
    const parts = broken(word, columns);
    line = parts.pop() ?? '';
    lines.push(...parts);
  }
  return line === '' ? lines : [...lines, line];
}

export function padEnd(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - width(text)));
}

export function padStart(text: string, columns: number): string {
  return ' '.repeat(Math.max(0, columns - width(text))) + text;
}

function taken(
  parts: readonly string[],
  room: number,
  columns: number,
  ellipsis: string,
  join: (kept: string[]) => string,
): string {
  if (room <= 0) return ellipsis.slice(0, Math.max(0, columns));
  const kept: string[] = [];
  let used = 0;
  for (const part of parts) {
    used += width(part);
    if (used > room) break;
    kept.push(part);
  }
  return join(kept);
}

function broken(word: string, columns: number): string[] {
  if (width(word) <= columns) return [word];
  const parts: string[] = [];
  let part = '';
  for (const cluster of clusters(word)) {
    if (part !== '' && width(part + cluster) > columns) {
      parts.push(part);
      part = '';
    }
    part += cluster;
  }
  return [...parts, part];
}

function clusters(text: string): string[] {
  if (PLAIN.test(text)) return text.split('');
  graphemes ??= new Intl.Segmenter();
  return Array.from(graphemes.segment(text), ({ segment }) => segment);
}
