import { padEnd, widest, width, wrap } from './text.ts';

const NO_BREAK = '\u00a0';

/** A page of Markdown as text for a terminal, wrapped to so many columns. Code keeps its lines. */
export function markdownText(markdown: string, columns: number): string {
  let isCode = false;
  let block: string[] = [];
  const lines: string[] = [];
  const close = () => {
    lines.push(...blockLines(block, columns));
    block = [];
  };
  for (const line of markdown.trimEnd().split('\n')) {
    const isFence = line.startsWith('```');
    if (isFence || isCode || line === '' || startsBlock(line, block[0])) close();
    if (isFence) isCode = !isCode;
    else if (isCode) lines.push(`    ${line}`.trimEnd());
    else if (line === '') lines.push('');
    else block.push(line);
  }
  close();
  return `${lines.join('\n')}\n`;
}

/** A heading, an item of a list, and the first row of a table begin a block; other lines continue one. */
function startsBlock(line: string, first = ''): boolean {
  return /^(#+|-|\d+\.) /.test(line) || first.startsWith('#') || isRow(line) !== isRow(first);
}

const isRow = (line: string): boolean => line.startsWith('|');

/** The text without marks; a link to another page becomes an `imgtool help` command. */
function plain(text: string): string {
  return text
    .replace(/\*\*([^*]+)\*\*/g, '$1')
    .replace(/\[([^\]]+)\]\(([\w-]+)\.md(?:#[\w-]+)?\)/g, '$1 (imgtool help $2)')
    .replace(/\[([^\]]+)\]\([^)]+\)/g, '$1');
}

function blockLines(block: readonly string[], columns: number): string[] {
  const [first = ''] = block;
  if (isRow(first)) return tableLines(block, columns);
  const [, level, heading] = /^(#+) (.*)$/.exec(plain(first)) ?? [];
  if (level !== undefined && heading !== undefined) {
    return [heading, (level === '#' ? '=' : '-').repeat(width(heading))];
  }
  if (first === '') return [];
  const mark = /^(- |\d+\. )?/.exec(first)?.[0] ?? '';
  const text = block.map((line) => line.trim()).join(' ');
  return hanging(mark, plain(text.slice(mark.length)), columns);
}

/** Text behind a label, whose further lines are indented by the width of the label. */
export function hanging(label: string, text: string, columns: number): string[] {
  // A command in a sentence stays on one line, so that it can be copied.
  const kept = text.replace(/`[^`]+`/g, (code) => code.replaceAll(' ', NO_BREAK));
  const lines = wrap(kept, columns, ' '.repeat(width(label)));
  const [first = '', ...more] = lines.map((line) => line.replaceAll(NO_BREAK, ' '));
  return [label + first.slice(width(label)), ...more];
}

/** Columns two apart. The last one is wrapped. */
function tableLines(rows: readonly string[], columns: number): string[] {
  const cells = rows
    .filter((row) => !/^\|[ :|-]+\|$/.test(row))
    .map((row) => plain(row.replace(/^\| *| *\|$/g, '')).split(/ *\| */));
  const [titles = []] = cells;
  const widths = titles.map((_, at) => widest(cells.map((row) => row[at] ?? '')));
  const lined = cells.flatMap((row) => {
    const label = row.slice(0, -1).map((cell, at) => `${padEnd(cell, widths[at] ?? 0)}  `);
    return hanging(label.join(''), row.at(-1) ?? '', columns);
  });
  return [
    lined[0] ?? '',
    widths
      .map((each) => '-'.repeat(each))
      .join('  ')
      .slice(0, columns),
    ...lined.slice(1),
  ];
}
