/** Text on a terminal: measured in columns, cut, wrapped, and made safe to print. */

/** Most texts take one column per character. Only the others need the tables of string-width, which load slowly. */
const PLAIN = /^[ -~]*$/;

let measure: ((text: string) => number) | undefined;
let graphemes: Intl.Segmenter | undefined;
let isGuessed = false;

/** Sets how texts outside ASCII are measured: by string-width, once it is loaded. */
export function measureWith(by: (text: string) => number): void {
  measure = by;
}

/** What `draw` returns. Loads string-width and draws again if `draw` had to measure a text outside ASCII. */
export async function measured(draw: () => string): Promise<string> {
  isGuessed = false;
  const text = draw();
  if (!isGuessed) return text;
  measureWith((await import('string-width')).default);
  return draw();
}

/** The columns that the text takes. */
export function width(text: string): number {
  if (PLAIN.test(text)) return text.length;
  if (measure !== undefined) return measure(text);
  isGuessed = true;
  return text.length;
}

/** The columns of the widest text; 0 for none. A call cannot take a large number of widths as arguments. */
export function widest(texts: readonly string[]): number {
  return texts.reduce((most, text) => Math.max(most, width(text)), 0);
}

/** The text in at most `columns`: where it is longer, `ellipsis` replaces its end. */
export function cut(text: string, columns: number, ellipsis = '…'): string {
  if (width(text) <= columns) return text;
  const room = columns - width(ellipsis);
  if (room <= 0) return ellipsis.slice(0, Math.max(0, columns));
  return fittingIn(room, clusters(text)).join('') + ellipsis;
}

/** The same, but `ellipsis` replaces the start: paths differ most at their end. */
export function cutStart(text: string, columns: number, ellipsis = '…'): string {
  const room = columns - width(ellipsis);
  if (width(text) <= columns || room <= 0) return cut(text, columns, ellipsis);
  return ellipsis + fittingIn(room, clusters(text).reverse()).reverse().join('');
}

/** Breaks the text at spaces; breaks a word only when it is longer than a line. `columns` include the indent. */
export function wrap(text: string, columns: number, indent = ''): string[] {
  const room = columns - indent.length;
  if (width(text) <= room) return [indent + text];
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (width(longer) <= room) {
      line = longer;
      continue;
    }
    if (line !== '') lines.push(line);
    const parts = broken(word, room);
    line = parts.pop() ?? '';
    lines.push(...parts);
  }
  return (line === '' ? lines : [...lines, line]).map((part) => indent + part);
}

/** Lines as a text in which each line ends with a newline. */
export function textOf(lines: readonly string[]): string {
  return lines.map((text) => `${text}\n`).join('');
}

export function padEnd(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - width(text)));
}

export function padStart(text: string, columns: number): string {
  return ' '.repeat(Math.max(0, columns - width(text))) + text;
}

/** The first parts that fit into `room` columns. */
function fittingIn(room: number, parts: readonly string[]): string[] {
  let used = 0;
  const end = parts.findIndex((part) => {
    used += width(part);
    return used > room;
  });
  return parts.slice(0, end === -1 ? parts.length : end);
}

function broken(word: string, columns: number): string[] {
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

/**
 * Characters that can move the cursor, break a line or change its direction: C0, DEL, C1, zero-width and bidirectional
 * controls, the line separators, and lone surrogates.
 */
const UNPRINTABLE =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]|\p{Surrogate}/gu;
const ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** The text with each such character as an escape sequence: `a\nb`, `\x1b[31m`, `\u202e`. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => ESCAPES[character] ?? codeOf(character));
}

function codeOf(character: string): string {
  const hex = character.charCodeAt(0).toString(16);
  return hex.length <= 2 ? `\\x${hex.padStart(2, '0')}` : `\\u${hex.padStart(4, '0')}`;
}
