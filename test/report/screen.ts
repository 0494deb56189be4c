import stringWidth from 'string-width';

const CODE = /^\u001b\[([?\d;]*)([A-Za-z])/;
const characters = new Intl.Segmenter();

/** A terminal in memory: it obeys the control codes that reports use, and knows what a person sees. */
export function openScreen(width: number) {
  let columns = width;
  /** A wide character is followed by an empty cell. */
  let rows: string[][] = [[]];
  let [row, column] = [0, 0];
  let isCursorShown = true;

  function cellsOf(at: number): string[] {
    while (rows.length <= at) rows.push([]);
    return rows[at] ?? [];
  }

  function obey(parameter: string, code: string): void {
    const cells = cellsOf(row);
    const n = Number(parameter || 1);
    if (code === 'A') row = Math.max(0, row - n);
    else if (code === 'B') row += n;
    else if (code === 'G') column = n - 1;
    else if (code === 'J') rows = [...rows.slice(0, row), cells.slice(0, column)];
    else if (code === 'K') rows[row] = parameter === '2' ? [] : cells.slice(0, column);
    else if (parameter === '?25') isCursorShown = code === 'h';
    else if (code !== 'm' && parameter !== '?2026') throw new Error(`unknown code ${parameter}${code}`);
  }

  function put(character: string): void {
    const size = stringWidth(character);
    if (column + size > columns) [row, column] = [row + 1, 0];
    const cells = cellsOf(row);
    while (cells.length < column) cells.push(' ');
    cells.splice(column, size, character, ...new Array<string>(size - 1).fill(''));
    column += size;
  }

  return {
    write(text: string): void {
      for (let rest = text; rest !== ''; ) {
        const [all = '', parameter = '', code = ''] = CODE.exec(rest) ?? [];
        if (all !== '') obey(parameter, code);
        const [first] = characters.segment(rest);
        const character = all || (first?.segment ?? '');
        if (character === '\n' || character === '\r\n') [row, column] = [row + 1, 0];
        else if (character === '\r') column = 0;
        else if (all === '') put(character);
        rest = rest.slice(character.length);
      }
    },
    /** Breaks rows that are too long for a narrower terminal into several, as most terminals do. */
    resize(to: number): void {
      columns = to;
      const broken = rows.map((cells) =>
        Array.from({ length: Math.max(1, Math.ceil(cells.length / to)) }, (_, at) => {
          return cells.slice(at * to, (at + 1) * to);
        }),
      );
      row = broken.slice(0, row).flat().length;
      rows = broken.flat();
    },
    isCursorShown: () => isCursorShown,
    /** What a person sees: the rows down to the cursor or the last text, without blanks at the end of a row. */
    lines(): string[] {
      cellsOf(row);
      const seen = rows.map((cells) => cells.join('').trimEnd());
      const last = seen.findLastIndex((text) => text !== '');
      return seen.slice(0, Math.max(row, last) + 1);
    },
  };
}
